"""A second target for an answer that is late: the first chunk wins, the other attempt is called off and settled."""

import asyncio
from typing import TYPE_CHECKING, Final

from common.errors import OrchestratorError
from gateway.attempt import Attempt
from gateway.failover.attempts import Attempts
from gateway.failover.turns import Answered, Turn, Turns
from providers.route_policy import Hedge

if TYPE_CHECKING:
    from gateway.services import Services

UNKNOWN_P95_SECONDS: Final = 2.0
Race = dict["asyncio.Task[Attempt]", Turn]


async def begin_hedged(services: "Services", attempts: Attempts, turns: Turns, turn: Turn, hedge: Hedge) -> Answered:
    """Raises what the first target's attempt raised when neither answers; the second's failure is told to `turns`."""
    services.hedges.earn(attempts.tenant_id, hedge.percent)
    race: Race = {}
    enter(race, attempts, turn)
    try:
        await asyncio.wait(race, timeout=patience(services, turn, hedge))
        if not any(task.done() for task in race) and services.hedges.take(attempts.tenant_id):
            second = await turns.next_untried()
            if second is not None:
                enter(race, attempts, second._replace(why="hedge"))
        answered = await winner(race, turns, turn)
    finally:
        for task in race:
            task.cancel()
        await asyncio.gather(*race, return_exceptions=True)
    await attempts.end_all_but(answered[0])
    return answered


def enter(race: Race, attempts: Attempts, turn: Turn) -> None:
    race[asyncio.create_task(attempts.begin(turn))] = turn


def patience(services: "Services", turn: Turn, hedge: Hedge) -> float:
    if hedge.after_ms is not None:
        return hedge.after_ms / 1000
    return services.board.vitals(turn.target.key).p95 or UNKNOWN_P95_SECONDS


async def winner(race: Race, turns: Turns, first: Turn) -> Answered:
    """Raises the first target's error once both have failed."""
    failure: OrchestratorError | None = None
    running = set(race)
    while running:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in sorted(done, key=list(race).index):
            error = task.exception()
            if error is None:
                return task.result(), race[task]
            if not isinstance(error, OrchestratorError):
                raise error
            if race[task] is first:
                failure = error
            else:
                turns.failed(race[task].planned, error)
    assert failure is not None  # noqa: S101 the first is always in the race
    raise failure
