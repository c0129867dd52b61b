"""Whose turn it is: the plan's order, with what is known of each target's health, and second tries at its end."""

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from billing.decisions.records import Why
from common.errors import OrchestratorError, UpstreamError
from gateway.calls import Caller
from gateway.deciding import Deciding
from gateway.failover.causes import RETRIED, Cause, cause_of
from gateway.failover.order import Order
from gateway.failover.waiting import seconds_to_wait
from gateway.routing.plan import Plan, Planned
from providers.route_policy import RoutePolicy

if TYPE_CHECKING:
    from gateway.attempt import Attempt
    from gateway.services import Services


RETRIES: Final = 1
"""Of a model that was asked for by its own name."""


class Turn(NamedTuple):
    """`probe`: the attempt decides whether the target's circuit closes."""

    planned: Planned
    why: Why
    probe: bool = False


Answered = tuple["Attempt", Turn]
"""An attempt that has begun to answer, and whose turn it was."""


class Turns:
    """`next` until it gives None; `failed` after each turn that came to nothing."""

    def __init__(
        self, services: "Services", caller: Caller, plan: Plan, policy: RoutePolicy | None, deciding: Deciding
    ) -> None:
        self._services = services
        self._tenant_id = caller.config.tenant_id
        self._deciding = deciding
        self._order = Order(plan)
        self._most_retries = RETRIES if policy is None else policy.retries
        self._retried = 0
        self._last: tuple[Planned, OrchestratorError, Cause] | None = None
        services.retries.earn(self._tenant_id)

    @property
    def failure(self) -> OrchestratorError:
        """What a caller is told when nobody is left."""
        return UpstreamError("No target is configured for this model.") if self._last is None else self._last[1]

    async def next(self) -> Turn | None:
        """Waits where a target is to be asked a second time."""
        return await self.next_untried() or await self._again()

    async def next_untried(self) -> Turn | None:
        board = self._services.board
        keys = [each.candidate.target.key for each in self._order.left()]
        verdicts = dict(zip(keys, board.admissible(keys), strict=True))
        while (planned := self._order.next()) is not None:
            key = planned.candidate.target.key
            verdict = verdicts[key]
            probe = verdict.may == "probe"
            if verdict.admits and (not probe or await board.claim_probe(key)):
                return Turn(planned, self._why(planned), probe)
            self._deciding.passed_over(planned.candidate, "probed_by_another" if probe else verdict.may)
        return None

    def have_fallback(self, cause: str) -> bool:
        return self._order.has_fallback(cause)

    def failed(self, planned: Planned, error: OrchestratorError) -> None:
        cause = cause_of(error)
        # What is wrong with our own words for it is told only if nothing was sent at all.
        if self._last is None or cause != "inexpressible":
            self._last = (planned, error, cause)
        self._order.failed(planned, cause)

    def _why(self, planned: Planned) -> Why:
        if self._last is None:
            return "first"
        before, now = self._last[0].candidate.target, planned.candidate.target
        same = (before.provider, before.model) == (now.provider, now.model)
        return "next_credential" if same else "failover"

    async def _again(self) -> Turn | None:
        """The last target once more, if that may help, and if the tenant has not done so too often lately."""
        if self._last is None or self._retried >= self._most_retries or self._last[2] not in RETRIED:
            return None
        planned, error, _ = self._last
        seconds = seconds_to_wait(error, self._retried, self._services.random)
        if seconds is None or not self._services.retries.take(self._tenant_id):
            return None
        self._retried += 1
        await asyncio.sleep(seconds)
        return Turn(planned, "retry")
