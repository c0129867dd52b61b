"""The way of one completion, in one function."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from billing.decisions.records import Outcome
from common.errors import OrchestratorError
from gateway.admitting import admit
from gateway.attempt import Attempt
from gateway.calls import Call, Caller
from gateway.choosing import plan_for
from gateway.deadline import Deadline
from gateway.deciding import Deciding
from gateway.estimates import estimated_input_tokens
from gateway.failover.attempts import Attempts
from gateway.failover.first import first_to_answer
from gateway.failover.rescue import RESCUED, Rescued
from gateway.failover.turns import Turns
from gateway.wanted import understood

if TYPE_CHECKING:
    from gateway.services import Services


class Answer:
    """An answer under way. Iterating gives lists of chunks; one that is not streamed is a single chunk."""

    __slots__ = ("_source", "caller", "deciding")

    def __init__(self, caller: Caller, source: Attempt | Rescued, deciding: Deciding) -> None:
        self.caller = caller
        self.deciding = deciding
        self._source = source

    def __aiter__(self) -> Attempt | Rescued:
        return self._source

    @property
    def attempt(self) -> Attempt:
        """The one that answers, so far."""
        return self._source.attempt if isinstance(self._source, Rescued) else self._source


@asynccontextmanager
async def answer(services: "Services", call: Call) -> AsyncIterator[Answer]:
    """Every refusal is raised on entry, before the first byte; whatever was dispatched is settled on the way out, and
    what was decided is on record.

    Raises OverLimit, Unauthenticated, PermissionDenied, NotFound for a model that is not offered, Unavailable;
    UpstreamError on entry and while iterating.
    """
    deciding = Deciding(call)
    attempts: Attempts | None = None
    try:
        caller = deciding.caller = await admit(services, call.identified)
        call, resolution = await understood(services.configs, call, caller)
        deciding.resolution = resolution
        policy = None if resolution.route is None else resolution.route.policy
        tokens = estimated_input_tokens(call.request)
        plan = deciding.plan = plan_for(services, call, caller, resolution, input_tokens=tokens)
        attempts = Attempts(services, call, caller, policy, deciding, input_tokens=tokens)
        turns = Turns(services, caller, plan, policy, deciding)
        async with Deadline(seconds_for(services, call)):
            answered = await first_to_answer(services, attempts, turns, policy)
            services.shadows.begin(attempts, plan.shadows)
            rescued = policy is not None and call.request.stream and policy.mid_stream in RESCUED
            source = Rescued(answered, attempts, turns, policy.mid_stream) if policy and rescued else answered[0]
            yield Answer(caller, source, deciding)
    except BaseException as error:
        await finish(services, deciding, attempts, error)
        raise
    await finish(services, deciding, attempts, None)


def seconds_for(services: "Services", call: Call) -> float:
    most = services.settings.seconds_for(stream=call.request.stream)
    asked = None if call.wishes.deadlines is None else call.wishes.deadlines.total
    return most if asked is None else min(most, asked)


async def finish(
    services: "Services", deciding: Deciding, attempts: Attempts | None, error: BaseException | None
) -> None:
    """Everything that was begun is settled and on record before anything is awaited."""
    ended = [] if attempts is None else attempts.settle_all(error)
    services.ledger.record(deciding.record(outcome_of(deciding, error), error, services.clock.now()))
    for attempt in ended:
        await attempt.close()


def outcome_of(deciding: Deciding, error: BaseException | None) -> Outcome:
    if error is None:
        return "answered"
    if isinstance(error, asyncio.CancelledError) or not isinstance(error, OrchestratorError):
        return "aborted"
    if not deciding.tried:
        return "refused"
    return "cut" if any(each.outcome == "cut" for each in deciding.tried) else "failed"
