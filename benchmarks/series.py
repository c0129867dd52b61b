"""Figures and the bars they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load.percentiles import median


@dataclass(frozen=True, slots=True)
class Series:
    """One figure of one subject, measured once in every round; its value is the median of the rounds.

    `bar` is the most it may be (None: no bar).
    """

    subject: str
    measure: str
    unit: str
    rounds: Sequence[float]
    bar: float | None = None
    group: str = ""

    @property
    def value(self) -> float:
        return median(self.rounds)

    @property
    def met(self) -> bool | None:
        return None if self.bar is None else self.value <= self.bar


@dataclass(slots=True)
class Collected:
    """Values gathered round by round, in the order their names first came up."""

    group: str
    _rounds: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)

    def add(self, subject: str, measure: str, unit: str, value: float) -> None:
        self._rounds.setdefault((subject, measure, unit), []).append(value)

    def series(self, bars: dict[tuple[str, str], float]) -> list[Series]:
        """Everything gathered; `bars` by subject and measure."""
        return [
            Series(subject, measure, unit, rounds, bars.get((subject, measure)), self.group)
            for (subject, measure, unit), rounds in self._rounds.items()
        ]
