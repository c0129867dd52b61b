"""Noticing that a caller has gone while the answer to it is being made."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.edge.asgi import ClientGone, Receive

# Most answers are quicker, and then nothing needs to be watched.
SECONDS_BEFORE_WATCHING: Final = 0.1


class HangUp:
    """Cancels the task that made it when the caller disconnects; `gone` says that it did.

    Between `watch` and `stop` only; the body must have been read. Callers who leave within the first
    SECONDS_BEFORE_WATCHING are noticed at its end.
    """

    __slots__ = ("_receive", "_task", "_timer", "_watching", "gone")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.gone = False

    def watch(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SECONDS_BEFORE_WATCHING, self._start)

    def stop(self) -> None:
        """Called before the last byte is sent: after it every caller may go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _start(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._task is not None and self._watching is not None:
            self.gone = True
            self._task.cancel()


@contextmanager
def watching(receive: Receive) -> Iterator[HangUp]:
    """Raises ClientGone in what is inside as soon as the caller is."""
    hang_up = HangUp(receive)
    hang_up.watch()
    try:
        yield hang_up
    except asyncio.CancelledError:
        if not hang_up.gone:
            raise
        raise ClientGone from None
    finally:
        hang_up.stop()
