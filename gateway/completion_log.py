"""One line for each attempt: what an operator asks first, and never a word of what was said."""

from typing import TYPE_CHECKING

import structlog

from providers.wire.shapes import Usage

if TYPE_CHECKING:
    from gateway.attempt import Attempt
    from gateway.settling import Ending

log = structlog.get_logger("gateway.completion")


def write(attempt: "Attempt", ending: "Ending", usage: Usage, cost_nano: int) -> None:
    intent = attempt.intent
    log.info(
        "completion",
        request_id=str(intent.request_id),
        attempt=intent.attempt,
        tenant_id=str(intent.tenant_id),
        provider=intent.provider,
        model=intent.model,
        stream=intent.stream,
        outcome=ending.outcome,
        error_code=ending.error_code,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_nano=cost_nano,
        time_to_first_chunk_ms=ending.time_to_first_chunk_ms,
        duration_ms=ending.duration_ms,
    )
