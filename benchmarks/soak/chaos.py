"""Strikes the script's kills while the load runs, and brings back what was killed."""

import asyncio
import time
from collections.abc import Callable, Sequence

import redis

from benchmarks.platform import Platform
from benchmarks.soak.script import Kill

Progress = Callable[[str], None]
FLOWING = 4
"""Calls that end after something came back, before the next kill."""


class Chaos:
    """`admit(number)` before every call, `finished()` after it; `run()` beside the load.

    Load and kills wait for each other: a kill strikes once its call has been admitted, and calls wait while
    the next kill is due but what was killed before isn't back yet. So the load never runs out before the kills do,
    and after each kill it flows again before the next.
    """

    def __init__(self, platform: Platform, kills: Sequence[Kill], progress: Progress) -> None:
        self._platform = platform
        self._kills = kills
        self._progress = progress
        self._changed = asyncio.Condition()
        self._admitted = -1
        self._struck = 0
        self._finished = 0
        self._flowing = 0
        self.struck_at: list[tuple[float, Kill]] = []

    async def admit(self, number: int, *, in_flight: int) -> None:
        """Returns when call `number` may start; `in_flight` calls may run ahead of a due kill."""
        async with self._changed:
            await self._changed.wait_for(lambda: number < max(self._next_at(), self._flowing) + in_flight)
            self._admitted = max(self._admitted, number)
            self._changed.notify_all()

    async def finished(self) -> None:
        """A call came to its end."""
        async with self._changed:
            self._finished += 1
            self._changed.notify_all()

    def _next_at(self) -> float:
        return self._kills[self._struck].at if self._struck < len(self._kills) else float("inf")

    async def run(self) -> None:
        for kill in self._kills:
            await self._due(kill)
            self._progress(f"kill {self._struck + 1}/{len(self._kills)}: {kill.kind} at call {self._admitted}")
            self.struck_at.append((time.time(), kill))
            await asyncio.to_thread(self._strike, kill)
            async with self._changed:
                self._struck += 1
                self._changed.notify_all()
            await asyncio.sleep(kill.down_seconds)
            await asyncio.to_thread(self._bring_back, kill)
            await self._back()

    async def _due(self, kill: Kill) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._admitted >= kill.at and self._finished >= self._flowing)

    async def _back(self) -> None:
        """Calls may go on, past the next kill's number too: some have to end before it strikes."""
        async with self._changed:
            self._flowing = self._finished + FLOWING
            self._changed.notify_all()

    def _strike(self, kill: Kill) -> None:
        match kill.kind:
            case "web":
                self._platform.kill_worker()
            case "postgres":
                self._platform.kill_postgres()
            case "valkey":
                self._platform.kill_valkey()
            case "flush":
                with redis.Redis.from_url(self._platform.environ["REDIS_URL"]) as connection:
                    connection.flushall()

    def _bring_back(self, kill: Kill) -> None:
        match kill.kind:
            case "web":
                self._platform.wait_workers()
            case "postgres" | "valkey":
                self._platform.start_services()
