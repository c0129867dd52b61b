"""Whose turn it is: the plan's order, with what is known of each target, and second tries at its end."""

import asyncio
import math
from typing import TYPE_CHECKING, Final, NamedTuple

from billing.decisions.records import Why
from common.errors import OrchestratorError, RateLimited, UpstreamError
from gateway.calls import Call, Caller
from gateway.causes import RETRIED, Cause, cause_of
from gateway.deciding import Deciding
from gateway.failover.order import Order, same_model
from gateway.failover.waiting import seconds_to_wait
from gateway.load.places import Place
from gateway.routing.plan import Plan, Planned
from providers.circuits import owner_and_provider
from providers.wire.shapes import Target

if TYPE_CHECKING:
    from gateway.attempt import Attempt
    from gateway.services import Services

RETRIES: Final = 1
"""Of a model that was asked for by its own name."""
QUEUE_SECONDS: Final = 5.0


class Turn(NamedTuple):
    """`place` is given back when the attempt has ended. `probe`: it decides whether the target's circuit closes."""

    planned: Planned
    why: Why
    place: Place
    probe: bool = False

    @property
    def target(self) -> Target:
        return self.planned.candidate.target


Answered = tuple["Attempt", Turn]
"""An attempt that has begun to answer, and whose turn it was."""


class Failed(NamedTuple):
    planned: Planned
    error: OrchestratorError
    cause: Cause


class Turns:
    """`next` until it gives None; `failed` after each turn that came to nothing."""

    def __init__(self, services: "Services", call: Call, caller: Caller, plan: Plan, deciding: Deciding) -> None:
        policy = deciding.policy
        self._services = services
        self._call = call
        self._tenant_id = caller.config.tenant_id
        self._deciding = deciding
        self._order = Order(plan)
        self._queue_seconds = QUEUE_SECONDS if policy is None else policy.queue_seconds
        self._most_retries = RETRIES if policy is None else policy.retries
        self._retried = 0
        self._busy: list[Planned] = []
        self._passed_over: list[tuple[float, Planned]] = []
        self._last: Failed | None = None
        services.retries.earn(self._tenant_id)

    @property
    def failure(self) -> OrchestratorError:
        """What a caller is told when nobody is left."""
        return UpstreamError("No target is configured for this model.") if self._last is None else self._last.error

    async def next(self) -> Turn | None:
        """Waits where all targets are busy, and before one is asked a second time. Raises Unavailable, RateLimited when
        that was too long."""
        return (
            await self.next_untried()
            or await self._place_at_a_busy_one()
            or await self._passed_over_turn()
            or await self._again()
        )

    async def next_untried(self) -> Turn | None:
        """Without waiting."""
        board = self._services.board
        keys = [each.candidate.target.key for each in self._order.left()]
        verdicts = dict(zip(keys, board.admissible(keys), strict=True))
        while (planned := self._order.next()) is not None:
            key = planned.candidate.target.key
            # A fallback may have been called for meanwhile.
            verdict = verdicts.get(key) or board.admissible([key])[0]
            if not verdict.admits:
                self._passed_over.append((verdict.seconds, planned))
                self._deciding.passed_over(planned.candidate, verdict.may)
            elif turn := await self._turn(planned, self._why(planned), probe=verdict.may == "probe"):
                return turn
        return None

    def failed(self, planned: Planned, error: OrchestratorError) -> None:
        """What was wrong with the request outlasts what goes wrong elsewhere."""
        cause = cause_of(error)
        # What is wrong with our own words for it is told only if nothing was sent at all.
        if self._last is None or (cause != "inexpressible" and self._last.cause != "rejected"):
            self._last = Failed(planned, error, cause)
        self._order.failed(planned, cause)

    def have_fallback(self, cause: str) -> bool:
        return self._order.has_fallback(cause)

    async def _turn(self, planned: Planned, why: Why, *, probe: bool = False) -> Turn | None:
        """None for a target that has no place, or for which others have used up the credential or the probe."""
        target = planned.candidate.target
        limit = share_of_places(self._services, target)
        place = self._services.places.try_take("" if limit is None else place_key(target), limit)
        if place is None:
            self._busy.append(planned)
            self._deciding.passed_over(planned.candidate, "busy")
            return None
        return await self._admitted(Turn(planned, why, place, probe))

    async def renewed(self, turn: Turn, why: Why) -> Turn | None:
        """Another turn at the same target, for which the first one's place is gone; None where that is taken."""
        return await self._turn(turn.planned, why)

    async def _admitted(self, turn: Turn) -> Turn | None:
        board, key, reason = self._services.board, turn.target.key, "probed_by_another"
        claimed, admitted = False, False
        try:
            claimed = turn.probe and await board.claim_probe(key)
            if claimed or not turn.probe:
                seconds = await seconds_for_credential(self._services, turn.target)
                admitted = seconds <= 0
                if not admitted:
                    reason = "credential_limit"
                    self.failed(turn.planned, credential_used_up(seconds))
        finally:
            if not admitted:
                turn.place.release()
                if claimed:
                    board.release_probe(key)
        if not admitted:
            self._deciding.passed_over(turn.planned.candidate, reason)
        return turn if admitted else None

    async def _place_at_a_busy_one(self) -> Turn | None:
        """The first that gets free; the others stay where they are."""
        busy = self._busy = [each for each in self._busy if self._order.may(each.candidate)]
        if not busy:
            return None
        targets = [each.candidate.target for each in busy]
        wanted = [
            (place_key(each), limit) for each in targets if (limit := share_of_places(self._services, each)) is not None
        ]
        place = await self._services.places.wait(
            wanted, self._tenant_id, self._call.wishes.priority, self._queue_seconds
        )
        planned = next(each for each in busy if place_key(each.candidate.target) == place.key)
        self._busy = [each for each in busy if each is not planned]
        # Much may have happened while we waited.
        [verdict] = self._services.board.admissible([planned.candidate.target.key])
        return await self._admitted(Turn(planned, self._why(planned), place, verdict.may == "probe"))

    async def _passed_over_turn(self) -> Turn | None:
        """When nobody else is left, of those that are out the one that will be back soonest is tried after all."""
        self._passed_over = [each for each in self._passed_over if self._order.may(each[1].candidate)]
        if not self._passed_over:
            return None
        soonest = min(self._passed_over, key=lambda each: each[0])
        self._passed_over.remove(soonest)
        return await self._turn(soonest[1], self._why(soonest[1]))

    async def _again(self) -> Turn | None:
        """The last target once more, if that may help, and if the tenant has not done so too often lately."""
        if self._last is None or self._retried >= self._most_retries or self._last.cause not in RETRIED:
            return None
        planned, error, _ = self._last
        if not self._order.may(planned.candidate):
            return None
        seconds = seconds_to_wait(error, self._retried, self._services.random)
        if seconds is None or not self._services.retries.take(self._tenant_id):
            return None
        self._retried += 1
        await asyncio.sleep(seconds)
        return await self._turn(planned, "retry")

    def _why(self, planned: Planned) -> Why:
        if self._last is None:
            return "first"
        same = same_model(self._last.planned.candidate, planned.candidate)
        return "next_credential" if same else "failover"


def share_of_places(services: "Services", target: Target) -> int | None:
    """This process's share of what the provider takes at once; None for no limit."""
    return None if target.most_at_once is None else math.ceil(target.most_at_once / services.board.live_processes)


async def seconds_for_credential(services: "Services", target: Target) -> float:
    """Until the target's credential has a call left; 0 for now, and then it is counted."""
    if target.credential_requests_per_minute is None or target.credential_id is None:
        return 0.0
    return await services.credential_limits.take(target.credential_id, target.credential_requests_per_minute)


def place_key(target: Target) -> str:
    """What has places is the provider, whoever's it is: the first two steps of "owner/provider/model"."""
    return "/".join(owner_and_provider(target.key))


def credential_used_up(seconds: float) -> RateLimited:
    return RateLimited("The limit of this provider's credential is reached.", retry_after=seconds)
