"""What the upstream is asked to do: by its server's own plan, and by what survives a gateway, model name and metadata.

- the server's plan: `--plan fault=status,status=503` at start, `POST /mock/plan` later (see switches.py).
- model name: `mock`, then a fault or a status code, then pairs: `mock-429-retry-1`, `mock-cut-after-3`,
  `mock-none-chunks-30-pace-1`. Separators may be `-`, `:` or `=`: `fault:stall:after=2:seconds=5`.
  Any other model name asks for nothing special.
- metadata: `{"metadata": {"mock": {"fault": "cut", "after": 3}}}`, the inner object also as JSON text.
- user: `{"user": "{\\"fault\\": \\"cut\\"}"}`, JSON text that is an object; `metadata.user_id` on the Anthropic wire.

The later in this list wins, field by field. A fault or field that doesn't exist is a 400 that says so.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

Fault = Literal[
    "none",
    "status",
    "reset",
    "silent",
    "delay",
    "slow",
    "cut",
    "stall",
    "drip",
    "malformed",
    "no_done",
    "no_finish",
    "truncated",
    "garbage",
    "huge",
    "error_event",
    "context_length",
    "content_filter",
    "prefill_rejected",
    "filtered",
    "flap",
]
FAULTS: dict[Fault, str] = {
    "none": "a whole answer",
    "status": "`status`, with Retry-After when `retry` is set",
    "reset": "RST before any header",
    "silent": "nothing at all for `seconds`, then closed",
    "delay": "`seconds` before the headers, then a whole answer",
    "slow": "headers at once, `seconds` before the first chunk or the body",
    "cut": "RST after `after` chunks; half a body when not streamed",
    "stall": "silence of `seconds` after `after` chunks, then the rest; half a body when not streamed",
    "drip": "the answer in pieces of `size` bytes, `pace` ms apart",
    "malformed": "an event of broken JSON after `after` chunks, then the rest; a broken body when not streamed",
    "no_done": "the stream ends cleanly without [DONE]",
    "no_finish": "the stream ends cleanly after its last text: no finish_reason, no usage, no [DONE]",
    "truncated": "the connection closed, not reset, after `after` chunks or half a body",
    "garbage": "200 and `size` bytes that are no answer",
    "huge": "one text of `size` bytes",
    "error_event": "an error object within the stream after `after` chunks, then closed",
    "context_length": "400 context_length_exceeded",
    "content_filter": "400 content_filter",
    "prefill_rejected": "400 in a vendor's words where the last message is the assistant's; otherwise fine",
    "filtered": "finish_reason content_filter",
    "flap": "`status` for `seconds`, then fine for as long, and so on; counted per model name",
}
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


Fields = dict[str, Any]
"""Fields of a Plan by name, not looked at yet."""
NO_FIELDS: Final[Fields] = {}


def plan_of(body: Mapping[str, Any], *, attempt: int, server: Fields = NO_FIELDS) -> Plan:
    """The plan in a request's body, over the server's own. Raises PlanRefused."""
    metadata = body.get("metadata")
    asked = from_model(str(body.get("model", ""))) | from_metadata(metadata) | from_user(body.get("user"))
    plan = plan_from(server | asked)
    if plan.attempts and attempt > plan.attempts:
        return msgspec.structs.replace(plan, fault="none")
    return plan


def plan_from(fields: Fields) -> Plan:
    """Raises PlanRefused, which names what there is."""
    try:
        return msgspec.convert(fields, Plan, strict=False)
    except msgspec.ValidationError as error:
        known = f"faults: {', '.join(FAULTS)}; fields: {', '.join(Plan.__struct_fields__)}"
        raise PlanRefused(f"{error}; {known}") from None


def from_words(words: str) -> Fields:
    """`fault=status,status=503`, as a command line has it. Raises PlanRefused."""
    pairs = [word.partition("=") for word in words.split(",") if word]
    if not all(sign for _, sign, _ in pairs):
        raise PlanRefused(f"{words!r} is no list of name=value, separated by commas")
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    plan_from(fields)
    return fields


def from_model(model: str) -> Fields:
    prefix, *words = re.split("[-:=]", model)
    if prefix not in PREFIXES or not words:
        return {}
    fault, *pairs = words
    if len(pairs) % 2:
        raise PlanRefused(f"{model!r} ends in a name without a value")
    fields: Fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return {"fault": "status", "status": fault, **fields} if fault.isdigit() else {"fault": fault, **fields}


def from_metadata(metadata: object) -> Fields:
    if not isinstance(metadata, dict):
        return {}
    wish = metadata.get("mock")
    if wish is None:
        return from_user(metadata.get("user_id"))
    return from_text(wish) if isinstance(wish, str) else (wish if isinstance(wish, dict) else {})


def from_user(user: object) -> Fields:
    return from_text(user) if isinstance(user, str) and user.startswith("{") else {}


def from_text(text: str) -> Fields:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise PlanRefused(f"the mock's instructions are not a JSON object: {error}") from None
