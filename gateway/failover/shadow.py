"""Targets that are asked as well, in the background, to be compared with those that answer."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import structlog

from common.errors import OrchestratorError
from gateway.attempt import Attempt
from gateway.deadline import Deadline
from gateway.failover.attempts import Attempts
from gateway.settling import ending_of, settle
from providers.catalogue import Candidate

if TYPE_CHECKING:
    from gateway.services import Services

log = structlog.get_logger(__name__)

MOST_AT_ONCE: Final = 50


class Shadows:
    """At most MOST_AT_ONCE in a process; those beyond are left out. They are in the ledger like every attempt."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, attempts: Attempts, shadows: Sequence[Candidate]) -> None:
        for shadow in shadows:
            if len(self._tasks) < MOST_AT_ONCE:
                task = asyncio.create_task(self._follow(attempts, shadow), name="shadow")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, attempts: Attempts, shadow: Candidate) -> None:
        seconds = self._services.settings.seconds_for(stream=attempts.call.request.stream)
        try:
            attempt = attempts.new(shadow.target, tapped=False)
            async with Deadline(seconds):
                await self._hear(attempt)
        except OrchestratorError as error:
            log.debug("shadow_failed", code=error.code)

    async def _hear(self, attempt: Attempt) -> None:
        failure: BaseException | None = None
        try:
            await attempt.begin()
            async for _ in attempt:
                pass
        except BaseException as error:
            failure = error
            raise
        finally:
            if attempt.began is not None:
                settle(self._services, attempt, ending_of(attempt, failure))
            await attempt.close()
