"""`python -m benchmarks.run [NAME…]`: speed and memory, every subject in one run, rounds interleaved.

Absolute figures depend on the machine and on what else it does; subjects take turns within each round so that
a noisy moment strikes all of them, and medians of the rounds are shown. Bars that are missed are shown, not
punished: the exit status is 0 unless something broke.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext

from benchmarks.auto.__main__ import write_report
from benchmarks.measures import (
    auto,
    balance,
    failover,
    latency,
    memory,
    routing,
    startup,
    streams,
    throughput,
    translation,
)
from benchmarks.processes import clean_up_when_terminated
from benchmarks.report import Report, as_markdown, write
from benchmarks.series import Series
from benchmarks.stage import Progress, Stage, stage

Measure = Callable[..., list[Series]]
MEASURES: dict[str, Measure] = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "streams": streams.measure,
    "translation": translation.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "routing": routing.measure,
    "failover": failover.measure,
    "balance": balance.measure,
    "auto": auto.measure,
}
ON_THEIR_OWN = {
    "failover": "From one target's failure to the next target's request",
    "balance": "Requests spread over upstreams of different speed",
    "auto": "Choosing a model by the query",
}
"""Measures that bring what they need, or need nothing; with their titles."""
FULL_PATH = "The full path against nginx and a bare proxy"
NOTE = (
    "Full path: key, admission, durable intent, upstream call, settlement, metrics. CPU is user and system "
    "time of the whole process tree; PostgreSQL and Valkey are shown beside web, the bars are on web."
)
EMPTY = Stage((), (), None)


def main() -> int:
    arguments = read_arguments()
    clean_up_when_terminated()
    names = arguments.names or list(MEASURES)
    if names == ["auto"]:
        return write_report()
    started = time.monotonic()
    load = ", ".join(f"{average:.2f}" for average in os.getloadavg())

    def progress(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    alone = set(names) <= ON_THEIR_OWN.keys()
    with nullcontext(EMPTY) if alone else stage(progress, with_platform=not arguments.without_platform) as scene:
        series = measure_all(names, scene, progress, rounds=arguments.rounds, seconds=arguments.seconds)
    report = Report(
        name="bench" if names == list(MEASURES) else "bench-" + "-".join(names),
        title="; ".join(map(ON_THEIR_OWN.__getitem__, names)) if alone else FULL_PATH,
        parameters={
            "rounds": arguments.rounds,
            "seconds a round": arguments.seconds,
            "seed": "none (closed loops)",
            "load average before": load,
        },
        series=series,
        notes=() if alone else (NOTE,),
    )
    path = write(report)
    print(as_markdown(report, {}, None))
    print(f"Written to {path}")
    return 0


def measure_all(names: list[str], scene: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    series: list[Series] = []
    for name in names:
        series += MEASURES[name](scene, progress, rounds=rounds, seconds=seconds)
    return series


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Speed and memory, in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *MEASURES], help=", ".join(MEASURES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a throughput round")
    parser.add_argument("--without-platform", action="store_true", help="only direct and bare proxy")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
