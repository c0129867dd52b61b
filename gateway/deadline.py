"""The time that one completion may take in all, its caller's slow reading included."""

import asyncio
from types import TracebackType

from common.errors import UpstreamTimeout


class Deadline:
    """`async with Deadline(seconds)`: what is not done in time ends with UpstreamTimeout."""

    __slots__ = ("_seconds", "_timeout")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise UpstreamTimeout(f"The answer was not finished within {self._seconds:g} seconds.") from None
