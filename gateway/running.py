"""How many completions are under way in this process: bounded, and waited for at the end."""

import asyncio

from common.errors import Unavailable


class Running:
    """`with running:` around each completion."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    @property
    def count(self) -> int:
        return self._count

    def __enter__(self) -> None:
        """Raises Unavailable when there is no place."""
        if self._count >= self._most:
            raise Unavailable("Too many completions are under way.", code="too_many_requests", retry_after=1)
        self._count += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if not self._count:
            self._none.set()

    async def finished(self, timeout: float) -> bool:
        """Waits until none is under way; false when that took too long."""
        try:
            await asyncio.wait_for(self._none.wait(), timeout)
        except TimeoutError:
            return False
        return True
