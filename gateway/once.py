"""Requests that are done once, however often they are sent: by this process, and by all that share its database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

import structlog

from billing.idempotency.claims import Claim, Kept, reused
from common.errors import OrchestratorError, Unavailable
from gateway.ports import IdempotencyStore
from tenants.identity import TenantRef

log = structlog.get_logger(__name__)

# How long a request of a process that is gone keeps others with its key waiting.
LEASE: Final = timedelta(seconds=20)
SECONDS_BETWEEN_RENEWALS: Final = 5.0
SECONDS_FOR_A_PLACE: Final = 5.0
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 0.5

P = ParamSpec("P")
R = TypeVar("R")


class Once:
    """`claim` before a request is done; then either `keep` or `release`.

    Of the requests of this process with one key a single one asks the database; the others wait for its end here.
    """

    def __init__(self, store: IdempotencyStore, *, at_once: int) -> None:
        self._store = store
        # The other threads of the database are for who sends no key.
        self._places = asyncio.Semaphore(at_once)
        self._first: dict[UUID, tuple[Claim, asyncio.Future[Kept | None]]] = {}
        self._running: dict[UUID, Claim] = {}
        self._releasing: set[asyncio.Task[None]] = set()

    async def claim(self, tenant: TenantRef, claim: Claim) -> Kept | None:
        """What was answered before, waited for where it is under way; None leaves the request to the caller.

        Raises Conflict for a key that stands for another request, Unavailable.
        """
        while claim.id in self._first:
            first, ended = self._first[claim.id]
            if first.digest != claim.digest:
                raise reused()
            await asyncio.wait([ended])
            if (kept := ended.result()) is not None:
                return kept
        self._first[claim.id] = (claim, asyncio.get_running_loop().create_future())
        try:
            kept = await self._asked(tenant, claim)
        except BaseException as error:
            # Whether the claim was made is not known.
            self.release(tenant, claim, error if isinstance(error, OrchestratorError) else None)
            raise
        if kept is None:
            self._running[claim.id] = claim
        else:
            self._end(claim, kept)
        return kept

    async def keep(self, tenant: TenantRef, claim: Claim, answer: Kept) -> None:
        """An answer that cannot be kept is given all the same, here to all who wait for it."""
        try:
            if not await self._placed(self._store.keep, tenant, claim, answer):
                log.warning("idempotency_claim_lost", request_id=str(claim.request_id))
        except OrchestratorError as error:
            log.warning("idempotent_answer_not_kept", request_id=str(claim.request_id), code=error.code)
        self._end(claim, answer)

    def release(self, tenant: TenantRef, claim: Claim, error: OrchestratorError | None = None) -> None:
        """The request was not done; whoever waits for it does it, or gets the error. Nothing where `keep` has ended."""
        if self._end(claim, None, error):
            task = asyncio.get_running_loop().create_task(self._released(tenant, claim))
            self._releasing.add(task)
            task.add_done_callback(self._releasing.discard)

    async def renew(self) -> None:
        """What is under way stays ours."""
        if self._running:
            await self._placed(self._store.renew, list(self._running.values()), LEASE)

    async def drain(self, seconds: float) -> None:
        if self._releasing:
            await asyncio.wait(self._releasing, timeout=seconds)

    def _end(self, claim: Claim, kept: Kept | None, error: OrchestratorError | None = None) -> bool:
        """Whether it was under way."""
        first, ended = self._first.get(claim.id, (None, None))
        if first is not claim or ended is None:
            return False
        del self._first[claim.id]
        self._running.pop(claim.id, None)
        if error is None:
            ended.set_result(kept)
        else:
            ended.set_exception(error)
            # Nobody may have waited for it.
            ended.exception()
        return True

    async def _asked(self, tenant: TenantRef, claim: Claim) -> Kept | None:
        """Until there is an answer or the claim is ours."""
        seconds = SHORTEST_WAIT
        while True:
            found = await self._placed(self._store.claim, tenant, claim, LEASE)
            if isinstance(found, Kept):
                return found
            if found == "ours":
                return None
            await asyncio.sleep(seconds)
            seconds = min(LONGEST_WAIT, seconds * 1.5)

    async def _released(self, tenant: TenantRef, claim: Claim) -> None:
        try:
            await self._placed(self._store.release, tenant, claim)
        except OrchestratorError as error:
            # It ends with its lease.
            log.warning("idempotency_claim_not_released", request_id=str(claim.request_id), code=error.code)

    async def _placed(self, ask: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Raises Unavailable when there is no place in time."""
        try:
            await asyncio.wait_for(self._places.acquire(), SECONDS_FOR_A_PLACE)
        except TimeoutError:
            raise Unavailable("Too many requests with an idempotency-key wait.", retry_after=1) from None
        try:
            return await ask(*args, **kwargs)
        finally:
            self._places.release()
