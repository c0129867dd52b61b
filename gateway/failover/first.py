"""The first target to answer. Everything here happens before the caller has seen a byte."""

from typing import TYPE_CHECKING, Final

from common.errors import InvalidRequest, OrchestratorError, UpstreamError, UpstreamRefused
from gateway import metrics
from gateway.attempt import Attempt
from gateway.failover.attempts import Attempts
from gateway.failover.hedging import begin_hedged
from gateway.failover.turns import Answered, Turn, Turns
from providers.route_policy import RoutePolicy
from providers.wire.shapes import Target

if TYPE_CHECKING:
    from gateway.services import Services

TRIED_NEXT: Final = (UpstreamError, InvalidRequest)
MOST_BUFFERED: Final = 8 * 1024 * 1024


async def first_to_answer(
    services: "Services", attempts: Attempts, turns: Turns, policy: RoutePolicy | None
) -> Answered:
    """Raises the error of the last target, or of the first that no other target mends."""
    left: Target | None = None
    while (turn := await turns.next()) is not None:
        if left is not None:
            metrics.record_failover(left)
        try:
            attempt, turn = await begin(services, attempts, turns, turn, policy)
            failure = await trouble(turns, attempt, policy)
            if failure is None:
                return attempt, turn
            # The caller has seen nothing of it.
            await attempts.end(attempt, failure, unseen=True)
        except TRIED_NEXT as error:
            failure = error
        turns.failed(turn.planned, failure)
        left = turn.target
    raise turns.failure


async def begin(
    services: "Services", attempts: Attempts, turns: Turns, turn: Turn, policy: RoutePolicy | None
) -> Answered:
    if policy is None or policy.hedge is None or not policy.hedge.percent:
        return await attempts.begin(turn), turn
    return await begin_hedged(services, attempts, turns, turn, policy.hedge)


async def trouble(turns: Turns, attempt: Attempt, policy: RoutePolicy | None) -> OrchestratorError | None:
    """What is wrong with an answer that has begun, as far as the route wants to know before the caller does."""
    if policy is None:
        return None
    if attempt.request.stream and policy.mid_stream == "buffer":
        try:
            await attempt.hear_out(MOST_BUFFERED)
        except UpstreamError as error:
            return error
    refused = attempt.meter.finish_reason == "content_filter" and not attempt.meter.output_bytes
    if refused and turns.have_fallback("content_refused"):
        return UpstreamRefused("The provider's filter refused the content.", status=400, code="content_filter")
    return None
