"""The way of one completion, in one function."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.admitting import admit
from gateway.attempt import Attempt
from gateway.calls import Call, Caller
from gateway.deadline import Deadline
from gateway.failover import Attempts
from gateway.permitted import check_permitted

if TYPE_CHECKING:
    from gateway.services import Services


class Answer:
    """An answer under way. Iterating gives lists of chunks; one that is not streamed is a single chunk."""

    __slots__ = ("attempt", "caller")

    def __init__(self, caller: Caller, attempt: Attempt) -> None:
        self.caller = caller
        self.attempt = attempt

    def __aiter__(self) -> Attempt:
        return self.attempt


@asynccontextmanager
async def answer(services: "Services", call: Call) -> AsyncIterator[Answer]:
    """Every refusal is raised on entry, before the first byte; whatever was dispatched is settled on the way out.

    Raises OverLimit, Unauthenticated, PermissionDenied, NotFound for a model that is not offered, Unavailable;
    UpstreamError on entry and while iterating.
    """
    caller = await admit(services, call.identified)
    chosen = await services.configs.resolve(caller.config, call.request.model)
    check_permitted(caller.record, call.request.model, chosen)
    attempts = Attempts(services, call, caller)
    try:
        async with Deadline(services.settings.seconds_for(stream=call.request.stream)):
            yield Answer(caller, await attempts.first_to_answer(chosen.targets))
    except BaseException as error:
        await attempts.end(error)
        raise
    await attempts.end(None)
