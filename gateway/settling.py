"""From an attempt that has ended to its settlement: what was used, how we know, what it costs."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from billing.ledger.rows import Outcome, ProviderScope, Settlement, UsageSource
from billing.pricing import cost, marked_up
from common.errors import OrchestratorError
from gateway import metrics
from gateway.completion_log import CompletionLine
from gateway.counting import Uncounted
from gateway.metering import Meter
from gateway.prompts import uncounted
from providers.wire.shapes import Target, Usage

if TYPE_CHECKING:
    from gateway.attempt import Attempt
    from gateway.services import Services

NOTHING: Final = Usage()
NEVER_SENT: Final = ("upstream_unreachable", "upstream_connect_timeout")
OPENAI: Final = "openai"


class Spent(NamedTuple):
    """What a provider takes, and what the tenant pays for it."""

    cost_nano: int
    charge_nano: int


class Ending(msgspec.Struct, frozen=True):
    """How an attempt ended, as far as it is known without counting."""

    outcome: Outcome
    error_code: str | None
    time_to_first_chunk_ms: int | None
    duration_ms: int
    free: bool = False


def settle(services: "Services", attempt: "Attempt", ending: Ending) -> None:
    """Settles a dispatched attempt, at once or after a count. One that is free costs the tenant only what the
    provider itself reported.

    No awaiting: a cancellation cannot come between.
    """
    attempt.began = None
    meter = attempt.meter
    if (usage := known_usage(meter)) is not None:
        record(services, attempt, ending, usage, "provider")
    elif attempt.refused or ending.error_code in NEVER_SENT:
        record(services, attempt, ending, NOTHING, "none")
    elif ending.outcome != "completed" and not meter.output_bytes:
        # Nothing came of it that could be counted, but the provider may have read the prompt.
        read = Usage(input_tokens=attempt.intent.estimated_input_tokens)
        record(services, attempt, ending, read, "estimated")
    else:
        services.counter.count(uncounted_of(attempt), partial(counted, services, attempt, ending))


def known_usage(meter: Meter) -> Usage | None:
    """What the provider itself said of all of it."""
    return meter.usage if meter.usage_is_final or not meter.output_bytes else None


def ending_of(attempt: "Attempt", error: BaseException | None, *, free: bool = False) -> Ending:
    """Of a dispatched attempt. It is `free` where the caller got nothing of it, or the provider broke it off."""
    assert attempt.began is not None  # noqa: S101 only dispatched attempts end
    first = attempt.first_chunk_at
    return Ending(
        outcome=outcome_of(attempt, error),
        error_code=error.code if isinstance(error, OrchestratorError) else None,
        time_to_first_chunk_ms=None if first is None else round((first - attempt.began) * 1000),
        duration_ms=round((asyncio.get_running_loop().time() - attempt.began) * 1000),
        free=free,
    )


def outcome_of(attempt: "Attempt", error: BaseException | None) -> Outcome:
    if attempt.complete:
        return "completed"
    if isinstance(error, OrchestratorError):
        return "failed" if attempt.first_chunk_at is None else "cut"
    return "aborted"


def counted(services: "Services", attempt: "Attempt", ending: Ending, usage: Usage, exact: bool) -> None:
    """Another vendor's tokens are not OpenAI's: its counts are estimates."""
    source: UsageSource = "counted" if exact and attempt.target.provider == OPENAI else "estimated"
    reported = attempt.meter.usage
    if reported is not None:
        usage = completed(reported, usage)
        source = "provider" if usage == reported else source
    record(services, attempt, ending, usage, source)


def completed(reported: Usage, ours: Usage) -> Usage:
    """Usage that was reported before the end: the prompt's is good, the answer's at least what we have seen of it."""
    return msgspec.structs.replace(
        reported,
        input_tokens=reported.input_tokens or ours.input_tokens,
        output_tokens=max(reported.output_tokens, ours.output_tokens),
    )


def uncounted_of(attempt: "Attempt") -> Uncounted:
    meter, estimate = attempt.meter, attempt.intent.estimated_input_tokens
    return uncounted(attempt.call.request, attempt.target.model, estimate, meter.text, meter.output_bytes)


def record(services: "Services", attempt: "Attempt", ending: Ending, usage: Usage, source: UsageSource) -> None:
    cost_nano, charge_nano = spent(attempt.target, usage, ending.outcome)
    if ending.free and source != "provider":
        charge_nano = 0
    services.ledger.settle(
        Settlement(
            intent=attempt.intent,
            usage=usage,
            usage_source=source,
            cost_nano=cost_nano,
            charge_nano=charge_nano,
            outcome=ending.outcome,
            finish_reason=attempt.meter.finish_reason,
            error_code=ending.error_code,
            time_to_first_chunk_ms=ending.time_to_first_chunk_ms,
            duration_ms=ending.duration_ms,
        )
    )
    metrics.record_settlement(attempt, ending, usage, charge_nano)
    services.write_line(completion_line(services, attempt, ending, usage, cost_nano))


def spent(target: Target, usage: Usage, outcome: Outcome = "completed") -> Spent:
    """Of usage at a target. Without a price the cost is 0 and means nothing."""
    cost_nano = 0 if target.price is None else cost(usage, target.price)
    return Spent(cost_nano, charge(cost_nano, outcome, target.provider_scope, target.mark_up_basis_points))


def charge(cost_nano: int, outcome: Outcome, scope: ProviderScope, mark_up_basis_points: int = 0) -> int:
    """What the tenant pays us, mark-up included: nothing at a provider of its own, which it pays itself, and nothing
    where it got no byte of an answer, whatever the provider takes."""
    return 0 if scope == "tenant" or outcome == "failed" else marked_up(cost_nano, mark_up_basis_points)


def completion_line(
    services: "Services", attempt: "Attempt", ending: Ending, usage: Usage, cost_nano: int
) -> CompletionLine:
    intent, code = attempt.intent, ending.error_code
    return CompletionLine(
        timestamp=services.clock.now(),
        request_id=intent.request_id,
        attempt=intent.attempt,
        tenant_id=intent.tenant_id,
        provider=intent.provider,
        model=intent.model,
        stream=intent.stream,
        outcome=ending.outcome,
        # A vendor's code may be anything; only what looks like one is written.
        error_code=code if code is None or code.isidentifier() else "other",
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_nano=cost_nano,
        time_to_first_chunk_ms=ending.time_to_first_chunk_ms,
        duration_ms=ending.duration_ms,
    )
