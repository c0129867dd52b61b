"""How busy and how fast one target is, as this process has seen it and as the others tell.

The time to the first chunk is kept as a peak-EWMA: it jumps up at once and comes down with a time constant, by itself
too, so that a target nobody asks is tried again (the measure of Finagle's balancer,
twitter.github.io/finagle/guide/Clients.html#power-of-two-choices-p2c-peak-ewma).
"""

from collections.abc import Callable
from math import exp
from typing import Final

import msgspec

from gateway.targets.spread import Spread

SECONDS_OF_MEMORY: Final = 10.0
# Of what is told of answers, the share that the latest one has.
NEWEST: Final = 0.1
SHORTEST_WAIT: Final = 0.001
LEAST_FOR_A_PERCENTILE: Final = 5.0
# What is told by others is believed for so long.
SECONDS_BELIEVED: Final = 3.0
NEGLIGIBLE: Final = 1e-6


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What one process tells of a target, or several together. `weight`: how many recent answers `ewma` stems from.
    `waiting`: how long the call has waited that waits longest for its first chunk."""

    in_flight: int = 0
    waiting: float = 0.0
    ewma: float = 0.0
    weight: float = 0.0
    p95: float | None = None
    output_tokens: float = 0.0
    cached_share: float = 0.0


NOTHING_TOLD: Final = Told()


class Vitals:
    """`samples` counts the first chunks that came to this process. Seconds everywhere."""

    __slots__ = (
        "_at", "_ewma", "_monotonic", "_others", "_others_until", "_own_cached_share", "_own_output_tokens", "_weight",
        "own_in_flight", "samples", "spread", "used_at", "waiting",
    )  # fmt: skip

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.used_at = self._at = now = monotonic()
        self._ewma = self._weight = 0.0
        self._own_output_tokens = self._own_cached_share = 0.0
        self._others, self._others_until = NOTHING_TOLD, now
        self.own_in_flight = self.samples = 0
        self.spread = Spread(now)
        # Calls that wait for their first chunk and when they began, the oldest first.
        self.waiting: dict[object, float] = {}

    def began(self, flight: object, now: float) -> None:
        self.used_at = self.waiting[flight] = now
        self.own_in_flight += 1

    def first_chunk(self, flight: object, seconds: float, now: float) -> None:
        self.waiting.pop(flight, None)
        self.samples += 1
        self.spread.add(seconds, now)
        self._take_in(seconds, now)

    def waited_in_vain(self, seconds: float, now: float) -> None:
        """For `seconds`, and it would have been longer: that says something where usual waits are shorter."""
        if seconds > self._faded(now):
            self.spread.add(seconds, now)
            self._take_in(seconds, now)

    def _take_in(self, seconds: float, now: float) -> None:
        kept = exp((self._at - now) / SECONDS_OF_MEMORY)
        faded = self._ewma * kept
        self._ewma = seconds if seconds > faded else faded + (seconds - faded) * (1.0 - kept)
        self._weight = self._weight * kept + 1.0
        self._at = now

    def ended(self, flight: object) -> None:
        self.waiting.pop(flight, None)
        self.own_in_flight -= 1

    def answered(self, output_tokens: int, cached_share: float | None) -> None:
        before = self._own_output_tokens
        self._own_output_tokens = before + (output_tokens - before) * NEWEST if before else float(output_tokens)
        if cached_share is not None:
            self._own_cached_share += (cached_share - self._own_cached_share) * NEWEST

    @property
    def others(self) -> Told:
        return self._others if self._others_until > self._monotonic() else NOTHING_TOLD

    def believe(self, told: Told) -> None:
        self._others, self._others_until = told, self._monotonic() + SECONDS_BELIEVED

    @property
    def in_flight(self) -> int:
        """Calls under way, those of the other processes too."""
        return self.own_in_flight + self.others.in_flight

    @property
    def ewma(self) -> float:
        """What a call waits for its first chunk: by this process's answers and the others', each by how many it has
        lately had; and at least as long as the one that waits longest has waited."""
        return self._usual_wait(self.others)

    def _usual_wait(self, others: Told) -> float:
        now = self._monotonic()
        kept = exp((self._at - now) / SECONDS_OF_MEMORY)
        seconds, weight = self._ewma * kept, self._weight * kept
        known = weight + others.weight
        if others.weight and known > NEGLIGIBLE:
            seconds = (seconds * weight + others.ewma * others.weight) / known
        return max(seconds, self._longest_wait(now), others.waiting)

    def _faded(self, now: float) -> float:
        return self._ewma * exp((self._at - now) / SECONDS_OF_MEMORY)

    def _longest_wait(self, now: float) -> float:
        return now - next(iter(self.waiting.values())) if self.waiting else 0.0

    @property
    def p95(self) -> float | None:
        """Of the times to the first chunk of about the last minute; None where fewer than five are known."""
        if self.spread.weight >= LEAST_FOR_A_PERCENTILE:
            return self.spread.percentile(0.95, self._monotonic())
        return self.others.p95

    @property
    def output_tokens(self) -> float:
        """Of a usual answer; 0 where none is known."""
        return self._own_output_tokens or self.others.output_tokens

    @property
    def cached_share(self) -> float:
        """The share of a prompt's tokens that usually comes from the provider's cache."""
        return self._own_cached_share or self.others.cached_share

    def score(self) -> float:
        """For the power of two choices: the less the better."""
        others = self.others
        return max(self._usual_wait(others), SHORTEST_WAIT) * (self.own_in_flight + others.in_flight + 1)

    def told(self) -> Told:
        """What the other processes are told: nothing that stems from them."""
        now = self._monotonic()
        return Told(
            self.own_in_flight,
            self._longest_wait(now),
            self._faded(now),
            self._weight * exp((self._at - now) / SECONDS_OF_MEMORY),
            self.spread.percentile(0.95, now) if self.spread.weight >= LEAST_FOR_A_PERCENTILE else None,
            self._own_output_tokens,
            self._own_cached_share,
        )


def together(one: Told, other: Told) -> Told:
    """What two processes tell of a target, as one."""
    weight = one.weight + other.weight
    return Told(
        one.in_flight + other.in_flight,
        max(one.waiting, other.waiting),
        (one.ewma * one.weight + other.ewma * other.weight) / weight if weight > NEGLIGIBLE else 0.0,
        weight,
        max((each.p95 for each in (one, other) if each.p95 is not None), default=None),
        one.output_tokens or other.output_tokens,
        one.cached_share or other.cached_share,
    )
