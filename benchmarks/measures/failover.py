"""How long it takes from one target's failure to the next one's request, by the journals of the two upstreams.

A third of the requests fails, so that the first target's circuit stays closed. 5xx: from the end of the failing answer
to the arrival at the second upstream. Resets: from the moment the connection was reset. Silence: what is more than
the deadline, counted from the arrival at the first upstream.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from benchmarks.asking import Asker, Heard, Question
from benchmarks.farm import Farm, farm, route
from benchmarks.load.endpoint import LoadFailed
from benchmarks.load.percentiles import percentile
from benchmarks.platform import Extras
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage

ROUTE = "failover"
CLIENTS = 4
FAULTS_A_ROUND = 60
SILENCE_SECONDS = 0.4
DEADLINES = {"headers": SILENCE_SECONDS, "first_chunk": SILENCE_SECONDS}
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "5xx": {"fault": "status", "status": 503},
    "reset": {"fault": "reset"},
    "reset after the headers": {"fault": "cut", "after": 0},
    "silence": {"fault": "silent", "seconds": 30},
    "silence after the headers": {"fault": "slow", "seconds": 30},
}
AFTER_A_FAILURE = "p95 to the next target's request"
AFTER_SILENCE = "p95 to the next target's request, beyond the deadline"
AFTER_FAILURE_MS, AFTER_SILENCE_MS = 50.0, 20.0


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    collected = Collected(f"failover, {CLIENTS} clients")
    targets = ("first", "second")
    routes = [route(ROUTE, targets, "priority", deadlines=DEADLINES)]
    with farm(progress, dict.fromkeys(targets, ()), Extras(routes), workers=1) as scene:
        asyncio.run(fail_over(scene, progress, rounds, collected))
    bars = {(name, AFTER_SILENCE if is_silent(name) else AFTER_A_FAILURE): bar_of(name) for name in FAULTS}
    return collected.series(bars)


def is_silent(fault: str) -> bool:
    return fault.startswith("silence")


def bar_of(fault: str) -> float:
    return AFTER_SILENCE_MS if is_silent(fault) else AFTER_FAILURE_MS


async def fail_over(scene: Farm, progress: Progress, rounds: int, collected: Collected) -> None:
    async with Asker(scene.platform.base_url, scene.platform.api_key) as asker:
        await ask_all(asker, {})
        for number in range(1, rounds + 1):
            for name, fault in FAULTS.items():
                progress(f"failover {number}/{rounds}: {name}")
                failed = await ask_all(asker, fault)
                taken = gaps(scene, failed, name)
                if len(taken) < FAULTS_A_ROUND * 0.9:
                    raise LoadFailed(f"{name}: only {len(taken)} of {FAULTS_A_ROUND} requests failed over")
                collected.add(name, AFTER_SILENCE if is_silent(name) else AFTER_A_FAILURE, "ms", percentile(taken, 95))
                collected.add(name, "p50", "ms", percentile(taken, 50))


async def ask_all(asker: Asker, fault: Mapping[str, Any]) -> list[Heard]:
    """What was heard of those that met the fault. Raises LoadFailed when any was not answered in full."""
    heard: list[Heard] = []

    async def one_client() -> None:
        for number in range(3 * FAULTS_A_ROUND // CLIENTS):
            plan = {**fault, "attempts": 1} if number % 3 == 0 else {}
            answer = await asker.ask(Question(ROUTE, plan))
            if answer.seen != "whole":
                raise LoadFailed(f"{fault} was not mended: {answer}")
            if plan:
                heard.append(answer)

    await asyncio.gather(*(one_client() for _ in range(CLIENTS)))
    return heard


def gaps(scene: Farm, heard: list[Heard], fault: str) -> list[float]:
    """Milliseconds, of those that came to the first upstream and then to the second."""
    received, ended = scene.journal("first")
    came = {line.request_id: line for line in received}
    went_on = {line.request_id: line.at for line in scene.journal("second")[0]}
    found: list[float] = []
    for request_id in (each.request_id for each in heard):
        line, then = came.get(request_id), went_on.get(request_id)
        if line is not None and then is not None:
            since = line.at + SILENCE_SECONDS if is_silent(fault) else ended[line.number].at
            found.append((then - since) * 1000)
    return found
