"""How long things lately took, so that a percentile can be told: a histogram whose old entries fade."""

from math import log2
from typing import Final

SHORTEST: Final = 0.001
# Neighbouring steps are 9 % apart; 160 of them lead from 1 ms to 1,000 s.
STEPS_PER_DOUBLING: Final = 8
MOST_STEPS: Final = 160
SECONDS_TO_HALVE: Final = 30.0
MOST_WEIGHT: Final = 512.0
FORGOTTEN: Final = 0.05


class Spread:
    """Every 30 s, and whenever 512 have come together, all counts are halved. Times are of one monotonic clock."""

    __slots__ = ("_halved_at", "_steps", "weight")

    def __init__(self, now: float) -> None:
        self._steps: dict[int, float] = {}
        self._halved_at = now
        self.weight = 0.0

    def add(self, seconds: float, now: float) -> None:
        if self.weight >= MOST_WEIGHT or now - self._halved_at >= SECONDS_TO_HALVE:
            self._fade(now)
        step = int(log2(seconds / SHORTEST) * STEPS_PER_DOUBLING) if seconds > SHORTEST else 0
        step = min(step, MOST_STEPS)
        self._steps[step] = self._steps.get(step, 0.0) + 1.0
        self.weight += 1.0

    def percentile(self, share: float, now: float) -> float | None:
        """In seconds, at the upper end of its step; None where nothing is known any more."""
        if now - self._halved_at >= SECONDS_TO_HALVE:
            self._fade(now)
        left = share * self.weight
        for step in sorted(self._steps):
            left -= self._steps[step]
            if left <= 1e-9:
                return float(SHORTEST * 2.0 ** ((step + 1) / STEPS_PER_DOUBLING))
        return None

    def _fade(self, now: float) -> None:
        """At least one halving; for a long pause as many as it had time for."""
        halvings = max(1, int((now - self._halved_at) / SECONDS_TO_HALVE))
        factor = 0.5 ** min(halvings, 60)
        self._steps = {step: kept for step, count in self._steps.items() if (kept := count * factor) >= FORGOTTEN}
        self.weight = sum(self._steps.values())
        self._halved_at = now
