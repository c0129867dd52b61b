"""One line for each attempt: what an operator asks first, and never a word of what was said."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

log = structlog.get_logger("gateway.completion")


class CompletionLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The line in the order it is written. It holds no text of callers or vendors, so that nothing need be redacted."""

    timestamp: datetime
    level: str = "info"
    message: str = "completion"
    request_id: UUID
    attempt: int
    tenant_id: UUID
    provider: str
    model: str
    stream: bool
    outcome: str
    error_code: str | None
    input_tokens: int
    output_tokens: int
    cost_nano: int
    time_to_first_chunk_ms: int | None
    duration_ms: int
    logger: str = "gateway.completion"


WriteLine = Callable[[CompletionLine], None]
OF_THE_LOG = ("timestamp", "level", "message", "logger")


def through_structlog(line: CompletionLine) -> None:
    """Any format. A deployment that writes JSON has a shorter way."""
    values = {name: value for name, value in msgspec.structs.asdict(line).items() if name not in OF_THE_LOG}
    log.info(line.message, **{name: str(value) if isinstance(value, UUID) else value for name, value in values.items()})
