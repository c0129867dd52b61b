"""From the start of web's process to its first 200 on /ready, services and schema being there."""

from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage

BARS = {("platform", "web ready"): 2.0}


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    if stage.platform is None:
        return []
    collected = Collected("start")
    for number in range(1, rounds + 1):
        progress(f"start {number}/{rounds}")
        collected.add("platform", "web ready", "s", stage.platform.restart_web())
    return collected.series(BARS)
