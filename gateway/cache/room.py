"""Whether Redis as a whole has room for answers. It counts limits too, and when it is full no request is let in."""

import time
from collections.abc import Callable
from typing import Final

from common.errors import Unavailable
from common.redis import RedisConnection, RedisRefused

SECONDS_BETWEEN_LOOKS: Final = 1.0


class NoRoom(Unavailable):
    code = "no_room"


class Room:
    """`share` of `maxmemory`, or of the server's memory where no maximum is set, may be in use for whatever."""

    def __init__(self, redis: RedisConnection, *, share: float = 0.5, clock: Callable[[], float] = time.monotonic):
        self._redis = redis
        self._share = share
        self._clock = clock
        self._look_at = 0.0
        self._left = True

    async def check(self) -> None:
        """Raises NoRoom, by a look at most a second old; RedisUnavailable."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + SECONDS_BETWEEN_LOOKS
            self._left = await self._look()
        if not self._left:
            raise NoRoom("Redis is filling up: no more answers are kept there.")

    async def _look(self) -> bool:
        """Who is not allowed to ask relies on the bound of each tenant."""
        try:
            told: bytes = await self._redis.call("INFO", "memory")
        except RedisRefused:
            return True
        figures = dict(line.partition(b":")[::2] for line in told.splitlines())
        most = int(figures.get(b"maxmemory", 0)) or int(figures.get(b"total_system_memory", 0))
        return not most or int(figures.get(b"used_memory", 0)) < self._share * most
