"""What choosing a model by the query takes and saves; needs neither platform nor upstream."""

from benchmarks.auto.report import measured
from benchmarks.series import Series
from benchmarks.stage import Progress, Stage


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    progress("auto")
    return measured()
