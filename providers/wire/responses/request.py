"""A request for a response as callers send it (platform.openai.com/docs/api-reference/responses/create).

Only what routing, metering and limits need is read at first; every field stays the caller's own JSON text. What an
answer repeats without looking at it is checked here, since nobody else would.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from providers.wire.fields import parse_object, too_deep
from providers.wire.named import with_model
from providers.wire.places import FLAG, NULL, OBJECT, TEXT, WHOLE, Kind, missing, refused
from providers.wire.responses.words import CONTENT, LABELS
from providers.wire.shapes import ChatRequest

REPEATED: Final[Mapping[str, Kind[Any]]] = {
    "instructions": TEXT,
    "metadata": LABELS,
    "store": FLAG,
    "previous_response_id": TEXT,
    "parallel_tool_calls": FLAG,
    "max_tool_calls": WHOLE,
    "background": FLAG,
    "truncation": TEXT,
}


def parse_responses_request(body: bytes) -> ChatRequest:
    """Raises InvalidRequest with the field in `param`, or the place in the bytes."""
    try:
        return read_request(body)
    except RecursionError:
        raise too_deep() from None


def read_request(body: bytes) -> ChatRequest:
    fields = with_model(parse_object(body))
    model = model_of(fields)
    check_input(fields)
    for name, kind in REPEATED.items():
        optional(fields, name, kind)
    return ChatRequest(
        model=model,
        stream=optional(fields, "stream", FLAG) or False,
        include_usage=True,
        max_output_tokens=limit_of(fields),
        choices=1,
        fields=fields,
        input_bytes=len(body),
        stream_options=optional(fields, "stream_options", OBJECT) or {},
        dialect="responses",
    )


def optional(fields: Mapping[str, msgspec.Raw], name: str, kind: Kind[Any]) -> Any:
    """None where the field is absent or null."""
    raw = fields.get(name, NULL)
    return None if raw == NULL else kind.read(raw, name)


def model_of(fields: Mapping[str, msgspec.Raw]) -> str:
    if "model" not in fields:
        raise missing("model")
    model = TEXT.read(fields["model"], "model")
    if not model.strip():
        raise refused("model", "must not be empty")
    return model


def limit_of(fields: Mapping[str, msgspec.Raw]) -> int | None:
    limit: int | None = optional(fields, "max_output_tokens", WHOLE)
    if limit is not None and limit < 1:
        raise refused("max_output_tokens", "must be at least 1")
    return limit


def check_input(fields: Mapping[str, msgspec.Raw]) -> None:
    """After an earlier response there may be nothing new to say."""
    follows = fields.get("previous_response_id", NULL) != NULL
    if "input" not in fields:
        if follows:
            return
        raise missing("input")
    given = CONTENT.read(fields["input"], "input")
    if not given and not follows:
        raise refused("input", "must not be empty")
    if isinstance(given, list):
        for index, raw in enumerate(given):
            OBJECT.read(raw, f"input[{index}]")
