"""Time kept on an answer that is being read."""

import asyncio
from typing import Final

import aiohttp

from providers.client.failures import Overdue, Stalled

LOOK_SECONDS: Final = 1.0


class Watch:
    """Breaks off an answer that falls silent or takes too long, by one timer that is set anew only when it rings.

    A timer for each chunk would cost more than reading the chunk. It also looks whether the connection still stands:
    aiohttp closes one on which the framing of the body makes no sense, and forgets to tell the reader.
    """

    __slots__ = ("_between", "_content", "_loop", "_response", "_timer", "_total_at", "_waiting_since")

    def __init__(self, response: aiohttp.ClientResponse, between: float, total_at: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._response = response
        self._content = response.content
        self._between = between
        self._total_at = total_at
        self._waiting_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> None:
        self._waiting_since = now = self._loop.time()
        if self._timer is None and not self._content.is_eof():
            self._set(now, now + self._between)

    def rest(self) -> None:
        self._waiting_since = None

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        now = self._loop.time()
        silent_at = (self._waiting_since if self._waiting_since is not None else now) + self._between
        if now >= self._total_at:
            self._content.set_exception(Overdue())
        elif now >= silent_at:
            self._content.set_exception(Stalled())
        elif self._abandoned():
            self._content.set_exception(aiohttp.ClientPayloadError())
        else:
            self._set(now, silent_at)

    def _set(self, now: float, silent_at: float) -> None:
        self._timer = self._loop.call_at(min(silent_at, self._total_at, now + LOOK_SECONDS), self._ring)

    def _abandoned(self) -> bool:
        """Without connection, and neither ended nor failed."""
        connection = self._response.connection
        connected = connection is not None and connection.protocol is not None and connection.protocol.is_connected()
        return not connected and not self._content.is_eof() and self._content.exception() is None
