"""Keeping answers once their callers have them: nobody waits for it, and nothing comes of its failing."""

import asyncio
from typing import Final

import structlog

from common.clock import Clock
from gateway.cache.exact import AnswerCache
from gateway.cache.heard import Heard, stored_of
from gateway.cache.question import Question
from gateway.cache.taps import Tap

log = structlog.get_logger(__name__)

MOST_AT_ONCE: Final = 100


class Keeping:
    def __init__(self, cache: AnswerCache, clock: Clock, most_at_once: int = MOST_AT_ONCE) -> None:
        self._cache = cache
        self._clock = clock
        self._most_at_once = most_at_once
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, question: Question, heard: Heard, tap: Tap) -> None:
        """Returns at once, and closes the tap when it is done. While too many are being kept this one is not."""
        if len(self._tasks) >= self._most_at_once:
            tap.close()
            return
        task = asyncio.create_task(self._keep(question, heard, tap), name="keep answer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, question: Question, heard: Heard, tap: Tap) -> None:
        try:
            stored = await stored_of(heard, now=int(self._clock.now().timestamp()))
            if stored is not None:
                await self._cache.store(question, stored)
        except Exception as error:
            log.warning("answer_not_kept", error=type(error).__name__)
        finally:
            tap.close()

    async def drain(self, seconds: float) -> None:
        """Waits for what is under way, no longer than that."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
