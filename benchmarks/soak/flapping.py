"""A primary target that is down for a while: every request is answered, the primary is probed at most once for each
time its circuit is open, and it is back in use soon after it recovers. Two web workers know of each other's circuits.

Twice: with a few requests spread over the outage, and with many, so that both workers meet the end of every interval.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.asking import Asker, Heard, Question
from benchmarks.farm import MODEL, Farm, farm, route
from benchmarks.platform import Extras
from benchmarks.report import Check, Report
from benchmarks.series import Series

Progress = Callable[[str], None]
PRIMARY, SECONDARY = "primary", "secondary"
ROUTE = "flapping"
WORKERS = 2
DOWN_SECONDS = 60.0
TRAFFIC_AFTER_SECONDS = 8.0
SECONDS_BETWEEN_AFTER = 0.2
MANY_A_SECOND = 10
BACK_WITHIN_SECONDS = 5.0
# As gateway/targets/circuit.py has it: five failures in a row open a circuit, for 1, 2, 4, 4, … s less up to a quarter.
FAILURES_TO_OPEN = 5
SHORTEST_INTERVALS = (0.75, 1.5, 3.0)
CLOCKS_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Outage:
    """Unix times. `arrivals` at the primary while it was down; `served` when it answered after that."""

    name: str
    began: float
    during: Sequence[Heard]
    after: Sequence[Heard]
    arrivals: Sequence[float]
    served: Sequence[float]

    @property
    def ended(self) -> float:
        return self.began + DOWN_SECONDS


def soak(progress: Progress, *, requests: int = 20, seed: int = 5) -> Report:
    routes = [route(ROUTE, (PRIMARY, SECONDARY), "priority")]
    steady = [number / MANY_A_SECOND for number in range(int(DOWN_SECONDS * MANY_A_SECOND))]
    with farm(progress, dict.fromkeys((PRIMARY, SECONDARY), ()), Extras(routes), workers=WORKERS) as scene:
        few = asyncio.run(go_through(scene, f"{requests} requests", spread(requests, seed), progress))
        many = asyncio.run(go_through(scene, f"{MANY_A_SECOND} requests a second", steady, progress))
    return Report(
        name="soak-flapping",
        title="A primary target that is down for a while",
        parameters={"seed": seed, "seconds down": DOWN_SECONDS, "web workers": WORKERS, **facts(few), **facts(many)},
        checks=[*checks(few), *checks(many)],
        series=[back_in_use(few), back_in_use(many)],
    )


def spread(requests: int, seed: int) -> list[float]:
    """The first half in quick succession, by which the circuit opens; then in pairs, of which one may be a probe."""
    chance = random.Random(seed)
    first = [number * 0.2 for number in range(requests // 2)]
    pairs = [chance.uniform(first[-1] + 1, DOWN_SECONDS - 1) for _ in range((requests - len(first)) // 2)]
    return [*first, *(moment for moment in sorted(pairs) for _ in range(2))]


async def go_through(scene: Farm, name: str, moments: Sequence[float], progress: Progress) -> Outage:
    progress(f"{name}: down for {DOWN_SECONDS:g} s")
    async with Asker(scene.platform.base_url, scene.platform.api_key, keep_alive=False) as asker:
        # Both workers know a primary that is well.
        await ask_at(asker, [number / 20 for number in range(40)])
        began = time.time()
        scene.state(PRIMARY, model=MODEL, down_seconds=DOWN_SECONDS, status=503)
        during = await ask_at(asker, moments)
        await asyncio.sleep(max(0.0, began + DOWN_SECONDS - time.time()))
        progress(f"{name}: back")
        count = int(TRAFFIC_AFTER_SECONDS / SECONDS_BETWEEN_AFTER)
        after = await ask_at(asker, [number * SECONDS_BETWEEN_AFTER for number in range(count)])
    received, ends = scene.journal(PRIMARY)
    arrivals = [line.at for line in received if began <= line.at < began + DOWN_SECONDS]
    ended = began + DOWN_SECONDS
    served = [end.at for end in ends.values() if end.at >= ended and end.outcome == "completed"]
    return Outage(name, began, during, after, sorted(arrivals), sorted(served))


async def ask_at(asker: Asker, moments: Sequence[float]) -> list[Heard]:
    """Each at its moment, in seconds from now, whatever became of those before."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(number: int, moment: float) -> Heard:
        await asyncio.sleep(began + moment - loop.time())
        return await asker.ask(Question(ROUTE, {}, stream=number % 2 == 0))

    return await asyncio.gather(*(one(number, moment) for number, moment in enumerate(moments)))


def checks(outage: Outage) -> list[Check]:
    heard = [*outage.during, *outage.after]
    unanswered = [each for each in heard if each.seen != "whole"]
    before, gaps = apart(outage.arrivals)
    shortest = itertools.chain(SHORTEST_INTERVALS, itertools.repeat(SHORTEST_INTERVALS[-1]))
    early = [
        f"{gap:.2f} s after the one before, {least:g} s at least"
        for gap, least in zip(gaps, shortest, strict=False)
        if gap < least - CLOCKS_SECONDS
    ]
    most = WORKERS * FAILURES_TO_OPEN
    return [
        Check(f"{outage.name}: all answered", f"{len(heard) - len(unanswered)} of {len(heard)}", not unanswered),
        Check(f"{outage.name}: the circuit opens after {most} failures at most", str(before), before <= most),
        Check(
            f"{outage.name}: the primary is probed at most once in each interval that its circuit is open",
            f"{len(gaps)} probes, {len(early)} of them too early {'; '.join(early[:3])}",
            not early,
        ),
    ]


def apart(arrivals: Sequence[float]) -> tuple[int, list[float]]:
    """How many requests came before the circuit opened, and how long after the one before each later one came."""
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    opened = next(
        (
            number
            for number, gap in enumerate(gaps, 1)
            if number >= FAILURES_TO_OPEN and gap >= SHORTEST_INTERVALS[0] - CLOCKS_SECONDS
        ),
        len(arrivals),
    )
    return opened, gaps[opened - 1 :]


def back_in_use(outage: Outage) -> Series:
    """Seconds from the recovery to the first answer of the primary; the whole outage where there was none."""
    seconds = outage.served[0] - outage.ended if outage.served else DOWN_SECONDS
    return Series("platform", f"{outage.name}: primary back in use", "s", [seconds], BACK_WITHIN_SECONDS, "recovery")


def facts(outage: Outage) -> Mapping[str, object]:
    _, gaps = apart(outage.arrivals)
    late = [each for each in outage.after if each.asked_at >= outage.ended + BACK_WITHIN_SECONDS]
    return {
        f"{outage.name}: answered by": dict(Counter(each.answered_by for each in outage.during)),
        f"{outage.name}: seconds between probes": [round(gap, 2) for gap in gaps],
        f"{outage.name}: longest answer": f"{max(each.seconds for each in outage.during):.3f} s",
        f"{outage.name}: answered by, {BACK_WITHIN_SECONDS:g} s after it": dict(
            Counter(each.answered_by for each in late)
        ),
    }
