"""What a caller asks the upstream to do, chosen by what survives a gateway: model name and metadata.

- model name: `mock`, then a fault or a status code, then pairs: `mock-429-retry-1`, `mock-cut-after-3`,
  `mock-none-chunks-30-pace-1`. Separators may be `-`, `:` or `=`: `fault:stall:after=2:seconds=5`.
  Any other model name asks for nothing special.
- metadata: `{"metadata": {"mock": {"fault": "cut", "after": 3}}}`, the inner object also as JSON text.
- user: `{"user": "{\\"fault\\": \\"cut\\"}"}`, JSON text that is an object.

The later in this list wins, field by field. A fault or field that doesn't exist is a 400 that says so.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Fault = Literal[
    "none",
    "status",  # `status`, with Retry-After when `retry` is set
    "reset",  # RST before any header
    "silent",  # nothing at all for `seconds`, then closed
    "delay",  # `seconds` before the headers, then a whole answer
    "slow",  # headers at once, `seconds` before the first chunk or the body
    "cut",  # RST after `after` chunks; half a body when not streamed
    "stall",  # silence of `seconds` after `after` chunks, then the rest; half a body when not streamed
    "drip",  # the answer in pieces of `size` bytes, `pace` ms apart
    "malformed",  # an event of broken JSON after `after` chunks, then the rest; a broken body when not streamed
    "no_done",  # the stream ends cleanly without [DONE]
    "no_finish",  # the stream ends cleanly after its last text: no finish_reason, no usage, no [DONE]
    "truncated",  # the connection closed, not reset, after `after` chunks or half a body
    "garbage",  # 200 and `size` bytes that are no answer
    "huge",  # one text of `size` bytes
    "error_event",  # an error object within the stream after `after` chunks, then closed
    "context_length",  # 400 context_length_exceeded
    "content_filter",  # 400 content_filter
    "filtered",  # finish_reason content_filter
    "flap",  # `status` for `seconds`, then fine for as long, and so on; counted per model name
]
FAULTS: tuple[str, ...] = Fault.__args__  # type: ignore[attr-defined]
PREFIXES = {"mock", "fault"}


class PlanRefused(Exception):
    """The caller asked for a fault or a field that doesn't exist."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to answer. Times in seconds but `pace`, in milliseconds between chunks."""

    fault: Fault = "none"
    status: int = 500
    retry: str = ""
    after: int = 3
    seconds: float = 30.0
    size: int = 1_000_000
    chunks: int = 5
    pace: float = 0.0
    input: int | None = None
    """Input tokens of the usage; without it a quarter of the messages' bytes."""
    output: int | None = None
    """Output tokens of the usage; without it one for each chunk."""
    cached: int = 0
    reasoning: int = 0
    usage: bool = True
    """False: no usage is ever reported."""
    attempts: int = 0
    """The fault strikes only attempts up to this number; 0 for all."""


def plan_of(body: Mapping[str, Any], *, attempt: int) -> Plan:
    """The plan in a request's body. Raises PlanRefused."""
    fields = from_model(str(body.get("model", ""))) | from_metadata(body.get("metadata")) | from_user(body.get("user"))
    try:
        plan = msgspec.convert(fields, Plan, strict=False)
    except msgspec.ValidationError as error:
        known = f"faults: {', '.join(FAULTS)}; fields: {', '.join(Plan.__struct_fields__)}"
        raise PlanRefused(f"{error}; {known}") from None
    if plan.attempts and attempt > plan.attempts:
        return msgspec.structs.replace(plan, fault="none")
    return plan


def from_model(model: str) -> dict[str, Any]:
    prefix, *words = re.split("[-:=]", model)
    if prefix not in PREFIXES or not words:
        return {}
    fault, *pairs = words
    if len(pairs) % 2:
        raise PlanRefused(f"{model!r} ends in a name without a value")
    fields: dict[str, Any] = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return {"fault": "status", "status": fault, **fields} if fault.isdigit() else {"fault": fault, **fields}


def from_metadata(metadata: object) -> dict[str, Any]:
    wish = metadata.get("mock") if isinstance(metadata, dict) else None
    return from_text(wish) if isinstance(wish, str) else (wish if isinstance(wish, dict) else {})


def from_user(user: object) -> dict[str, Any]:
    return from_text(user) if isinstance(user, str) and user.startswith("{") else {}


def from_text(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise PlanRefused(f"the mock's instructions are not a JSON object: {error}") from None
