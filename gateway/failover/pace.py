"""An answer that comes so slowly that it may as well have stopped."""

from collections.abc import Callable
from typing import Final

from common.errors import UpstreamTimeout

WINDOW_SECONDS: Final = 5.0
BYTES_PER_TOKEN: Final = 4


class Pace:
    """`waits` before each read and `check` after it; `slowest` in tokens a second, over windows of a few seconds spent
    waiting for the provider: how slowly the caller reads does not count."""

    __slots__ = ("_bytes", "_clock", "_least", "_since", "_waited")

    def __init__(self, slowest: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._least = slowest * BYTES_PER_TOKEN
        self._since = clock()
        self._waited = 0.0
        self._bytes = 0

    def waits(self) -> None:
        self._since = self._clock()

    def check(self, output_bytes: int) -> UpstreamTimeout | None:
        """What is wrong, if anything is; `output_bytes` are all since the beginning."""
        self._waited += self._clock() - self._since
        if self._waited < WINDOW_SECONDS:
            return None
        if (output_bytes - self._bytes) / self._waited < self._least:
            return UpstreamTimeout("The provider's answer came too slowly.", code="upstream_slow")
        self._waited, self._bytes = 0.0, output_bytes
        return None
