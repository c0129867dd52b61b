"""Three upstreams of 1×, 2× and 4× speed, each with as many answers at once as it has places: how much of what they
can do together is got out of them, strategy against strategy, with twice as many clients as there are places.

An answer takes SECONDS at the slowest; an upstream's capacity is its places over the seconds of its answers. Nothing is
told to the platform of speeds or places.
"""

import asyncio
import time
from collections.abc import Mapping

from benchmarks.asking import Asker, Heard, Question
from benchmarks.farm import Farm, farm, route
from benchmarks.load.endpoint import LoadFailed
from benchmarks.load.percentiles import percentile
from benchmarks.platform import Extras
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage

SPEEDS: Mapping[str, int] = {"single": 1, "double": 2, "fourfold": 4}
STRATEGIES = ("latency", "least_busy", "round_robin")
PLACES = 8
SECONDS = 0.2
CAPACITY = sum(speed * PLACES / SECONDS for speed in SPEEDS.values())
CLIENTS = 2 * PLACES * len(SPEEDS)
WARM_UP_SECONDS = 3.0
SHORT_OF_IDEAL = "throughput short of the ideal"
P99_RATIO = "p99, of round_robin's"
BARS = {("latency", SHORT_OF_IDEAL): 10.0, ("latency", P99_RATIO): 1.0}
WORKERS = (1, 2)


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    series: list[Series] = []
    plan = f"fault=delay,seconds={SECONDS}"
    upstreams = {
        name: ("--speed", str(speed), "--most-at-once", str(PLACES), "--plan", plan) for name, speed in SPEEDS.items()
    }
    extras = Extras([route(strategy, tuple(SPEEDS), strategy) for strategy in STRATEGIES])
    for workers in WORKERS:
        collected = Collected(f"{CLIENTS} clients, ideal {CAPACITY:.0f}/s, web workers: {workers}")
        with farm(progress, upstreams, extras, workers=workers) as scene:
            for number in range(1, rounds + 1):
                progress(f"balance, {workers} workers, {number}/{rounds}")
                one_round(scene, collected, max(seconds, 8.0))
        series += collected.series(BARS)
    return series


def one_round(scene: Farm, collected: Collected, seconds: float) -> None:
    p99: dict[str, float] = {}
    for strategy in STRATEGIES:
        heard = asyncio.run(ask_for(scene, strategy, seconds))
        per_second = len(heard) / seconds
        taken = [each.seconds * 1000 for each in heard]
        p99[strategy] = percentile(taken, 99)
        collected.add(strategy, "answers a second", "1/s", per_second)
        collected.add(strategy, SHORT_OF_IDEAL, "%", (1 - per_second / CAPACITY) * 100)
        collected.add(strategy, "p50", "ms", percentile(taken, 50))
        collected.add(strategy, "p99", "ms", p99[strategy])
        for name in SPEEDS:
            share = sum(each.answered_by.startswith(f"{name}/") for each in heard) / len(heard)
            collected.add(strategy, f"share of {name}", "%", share * 100)
    collected.add("latency", P99_RATIO, "×", p99["latency"] / p99["round_robin"])


async def ask_for(scene: Farm, strategy: str, seconds: float) -> list[Heard]:
    """A closed loop; those that ended in the `seconds` after its start-up. Raises LoadFailed for any that failed."""
    began = time.time() + WARM_UP_SECONDS
    heard: list[Heard] = []

    async def one_client(asker: Asker) -> None:
        while time.time() < began + seconds:
            answer = await asker.ask(Question(strategy, {}, stream=False))
            if answer.seen != "whole":
                raise LoadFailed(f"not answered: {answer}")
            if began <= answer.ended_at < began + seconds:
                heard.append(answer)

    async with Asker(scene.platform.base_url, scene.platform.api_key) as asker:
        await asyncio.gather(*(one_client(asker) for _ in range(CLIENTS)))
    return heard
