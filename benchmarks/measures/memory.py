"""Resident memory of a web worker with 100 providers: as started, and after answers and streams went through it."""

from benchmarks.load.streams import streams
from benchmarks.load.throughput import throughput
from benchmarks.processes import largest_of_tree
from benchmarks.series import Collected, Series
from benchmarks.stage import PROVIDERS, Progress, Stage

BARS = {("platform", "after load"): 120.0, ("platform", "after start and one request"): 120.0}


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    platform = stage.platform
    if platform is None:
        return []
    collected = Collected(f"memory of a web worker, {PROVIDERS} providers")
    platform.restart_web()
    answers, paced = stage.answers[-1].endpoint, stage.streams[-1].endpoint
    streams(paced, clients=1, each=1, chunks=30)
    collected.add("platform", "after start and one request", "MB", largest_of_tree(platform.web_pid))
    progress("memory: load")
    throughput(answers, clients=32, seconds=seconds)
    streams(paced, clients=32, each=10, chunks=30)
    collected.add("platform", "after load", "MB", largest_of_tree(platform.web_pid))
    return collected.series(BARS)
