"""A chat completion request as callers send it (platform.openai.com/docs/api-reference/chat/create).

Only what routing, metering and limits need is read; every field stays the caller's own JSON text.
"""

import msgspec

from common.errors import InvalidRequest
from providers.wire.fields import (
    FLAG,
    MAX_CHOICES,
    OPTIONS,
    invalid_type,
    missing,
    parse_object,
    read,
    required_model,
    too_deep,
    wants_usage,
    whole_number,
)
from providers.wire.named import with_model
from providers.wire.shapes import ChatRequest


class Message(msgspec.Struct):
    role: str


MESSAGES = msgspec.json.Decoder(list[Message])
ANYTHING = msgspec.json.Decoder(list[msgspec.Raw])


def parse_chat_request(body: bytes) -> ChatRequest:
    """Raises InvalidRequest with the field in `param`, or the place in the bytes."""
    try:
        return read_request(body)
    except RecursionError:
        # Each reading stands a little deeper in our own stack than the one before.
        raise too_deep() from None


def read_request(body: bytes) -> ChatRequest:
    fields = with_model(parse_object(body))
    check_messages(fields)
    options: dict[str, msgspec.Raw] = read(fields, "stream_options", OPTIONS, "an object") or {}
    return ChatRequest(
        model=required_model(fields),
        stream=bool(read(fields, "stream", FLAG, "true or false")),
        include_usage=bool(options and wants_usage(options)),
        max_output_tokens=output_limit(fields),
        choices=whole_number(fields, "n", most=MAX_CHOICES) or 1,
        fields=fields,
        input_bytes=len(body),
        stream_options=options,
    )


def check_messages(fields: dict[str, msgspec.Raw]) -> None:
    if "messages" not in fields:
        raise missing("messages")
    try:
        messages = MESSAGES.decode(fields["messages"])
    except msgspec.ValidationError:
        raise wrong_message(fields["messages"]) from None
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"'messages' cannot be read: {error}.", param="messages", code="invalid_json") from None
    if not messages:
        raise InvalidRequest("'messages' must hold at least one message.", param="messages", code="empty_array")


def wrong_message(raw: msgspec.Raw) -> InvalidRequest:
    """Which message was wrong: msgspec tells the kind of fault, not the index."""
    try:
        messages = ANYTHING.decode(raw)
    except msgspec.ValidationError:
        return invalid_type("messages", "an array of messages")
    for index, message in enumerate(messages):
        try:
            msgspec.json.decode(message, type=Message)
        except msgspec.ValidationError as error:
            where = f"messages[{index}]"
            if "missing required field" in str(error):
                return missing(f"{where}.role")
            if "$.role" in str(error):
                return invalid_type(f"{where}.role", "a string")
            return invalid_type(where, "an object")
    return invalid_type("messages", "an array of messages")


def output_limit(fields: dict[str, msgspec.Raw]) -> int | None:
    newer = whole_number(fields, "max_completion_tokens")
    older = whole_number(fields, "max_tokens")
    return newer if newer is not None else older
