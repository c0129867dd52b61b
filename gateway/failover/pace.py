"""An answer that comes so slowly that it may as well have stopped."""

from collections.abc import Callable
from typing import Final

from common.errors import UpstreamTimeout

WINDOW_SECONDS: Final = 5.0
BYTES_PER_TOKEN: Final = 4


class Pace:
    """`check` after each read; `slowest` in tokens a second, over windows of a few seconds of the `clock`."""

    __slots__ = ("_bytes", "_clock", "_least", "_since")

    def __init__(self, slowest: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._least = slowest * BYTES_PER_TOKEN
        self._since = clock()
        self._bytes = 0

    def check(self, output_bytes: int) -> None:
        """Raises UpstreamTimeout."""
        now = self._clock()
        elapsed = now - self._since
        if elapsed < WINDOW_SECONDS:
            return
        if (output_bytes - self._bytes) / elapsed < self._least:
            raise UpstreamTimeout("The provider's answer came too slowly.", code="upstream_slow")
        self._since, self._bytes = now, output_bytes
