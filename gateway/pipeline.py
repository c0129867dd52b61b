"""The way of one completion, in one function."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from billing.decisions.records import Outcome
from common.errors import OrchestratorError
from gateway.admitting import admit
from gateway.answers import Answer
from gateway.calls import Call
from gateway.choosing import plan_for
from gateway.deadline import Deadline
from gateway.deciding import Deciding
from gateway.estimates import estimated_input_tokens
from gateway.failover.attempts import Attempts
from gateway.failover.first import first_to_answer
from gateway.failover.rescue import rescued
from gateway.failover.turns import Turns
from gateway.remembering import Remembering, Replayed
from gateway.wanted import understood

if TYPE_CHECKING:
    from gateway.services import Services


@asynccontextmanager
async def answer(services: "Services", call: Call) -> AsyncIterator[Answer]:
    """Every refusal is raised on entry, before the first byte; whatever was dispatched is settled on the way out, and
    what was decided is on record.

    Raises OverLimit, Unauthenticated, PermissionDenied, NotFound for a model that is not offered, Unavailable;
    UpstreamError on entry and while iterating.
    """
    deciding = Deciding(call)
    remembering = Remembering(services, call, deciding)
    attempts: Attempts | None = None
    try:
        caller = deciding.caller = await admit(services, call.identified, remembering.lookup())
        call, deciding.resolution = await understood(services.configs, call, caller)
        kept = await remembering.found(caller, deciding.resolution)
        if kept is not None:
            yield Answer(caller, Replayed(kept, call), deciding)
        else:
            tokens = estimated_input_tokens(call.request)
            deciding.plan = plan_for(services, call, caller, deciding.resolution, input_tokens=tokens)
            attempts = Attempts(services, call, caller, deciding, input_tokens=tokens)
            turns = Turns(services, call, caller, deciding.plan, deciding)
            async with Deadline(seconds_for(services, call)):
                answered = await first_to_answer(services, attempts, turns, deciding.policy)
                services.shadows.begin(attempts, deciding.plan.shadows)
                source = rescued(answered, attempts, turns, deciding.policy)
                yield Answer(caller, source, deciding)
                remembering.keep(source)
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
        return "cached" if deciding.cache == "hit" else "answered"
    if isinstance(error, asyncio.CancelledError) or not isinstance(error, OrchestratorError):
        return "aborted"
    if not deciding.tried:
        return "refused"
    return "cut" if any(each.outcome == "cut" for each in deciding.tried) else "failed"
