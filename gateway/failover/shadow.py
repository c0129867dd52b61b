"""Targets that are asked as well, in the background, to be compared with those that answer."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from common.errors import OrchestratorError
from gateway.attempt import Attempt
from gateway.deadline import Deadline
from gateway.failover.attempts import Attempts
from gateway.failover.turns import place_key, seconds_for_credential, share_of_places
from gateway.load.places import Place
from gateway.settling import ending_of, settle
from providers.catalogue import Candidate
from providers.wire.shapes import Target

if TYPE_CHECKING:
    from gateway.services import Services

log = structlog.get_logger(__name__)

MOST_AT_ONCE: Final = 50
MOST_OF_A_TENANT: Final = 10


class Shadows:
    """At most MOST_AT_ONCE in a process, MOST_OF_A_TENANT of one tenant; those beyond are left out, and those for which
    the provider has no place or the credential no call left. They are in the ledger like every attempt."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._tasks: set[asyncio.Task[None]] = set()
        self._of_tenant: Counter[UUID] = Counter()

    def begin(self, attempts: Attempts, shadows: Sequence[Candidate]) -> None:
        tenant_id = attempts.tenant_id
        for shadow in shadows:
            if len(self._tasks) >= MOST_AT_ONCE or self._of_tenant[tenant_id] >= MOST_OF_A_TENANT:
                return
            place = self._place_at(shadow.target)
            if place is not None:
                task = asyncio.create_task(self._follow(attempts, shadow), name="shadow")
                self._tasks.add(task)
                self._of_tenant[tenant_id] += 1
                task.add_done_callback(partial(self._ended, tenant_id, place))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _place_at(self, target: Target) -> Place | None:
        """None where others have them all, or wait for one."""
        limit = share_of_places(self._services, target)
        return self._services.places.try_take("" if limit is None else place_key(target), limit)

    def _ended(self, tenant_id: UUID, place: Place, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        place.release()
        self._of_tenant[tenant_id] -= 1
        if not self._of_tenant[tenant_id]:
            del self._of_tenant[tenant_id]

    async def _follow(self, attempts: Attempts, shadow: Candidate) -> None:
        seconds = self._services.settings.seconds_for(stream=attempts.call.request.stream)
        try:
            if await seconds_for_credential(self._services, shadow.target) > 0:
                return
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
