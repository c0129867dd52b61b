"""A chat completion request as callers send it (platform.openai.com/docs/api-reference/chat/create).

Only what routing, metering and limits need is read; every field stays the caller's own JSON text.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from common.errors import InvalidRequest
from providers.wire.shapes import ChatRequest

MAX_CHOICES = 128


class Message(msgspec.Struct):
    role: str


BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])
MESSAGES = msgspec.json.Decoder(list[Message])
ANYTHING = msgspec.json.Decoder(list[msgspec.Raw])
TEXT = msgspec.json.Decoder(str)
FLAG = msgspec.json.Decoder(bool | None)
WHOLE = msgspec.json.Decoder(int | None)
OPTIONS = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


def parse_chat_request(body: bytes) -> ChatRequest:
    """Raises InvalidRequest with the field in `param`, or the place in the bytes."""
    try:
        return read_request(body)
    except RecursionError:
        # Each reading stands a little deeper in our own stack than the one before.
        raise too_deep() from None


def read_request(body: bytes) -> ChatRequest:
    fields = parse_object(body)
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


def wants_usage(options: dict[str, msgspec.Raw]) -> bool:
    try:
        return bool(FLAG.decode(options.get("include_usage", b"false")))
    except msgspec.DecodeError:
        raise invalid_type("stream_options", "an object whose include_usage is true or false") from None


def parse_object(body: bytes) -> dict[str, msgspec.Raw]:
    """The fields of a JSON object in UTF-8. Raises InvalidRequest naming the byte where it stops being one."""
    try:
        body.decode()
        return BODY.decode(body)
    except UnicodeDecodeError as error:
        reason = f"The body is not UTF-8: invalid byte at byte {error.start}."
    except msgspec.ValidationError:
        reason = "The body must be a JSON object."
    except msgspec.DecodeError as error:
        reason = f"The body is not valid JSON: {syntax_fault(str(error), len(body))}."
    raise InvalidRequest(reason, code="invalid_json")


def too_deep() -> InvalidRequest:
    return InvalidRequest("The body is nested too deeply.", code="invalid_json")


def syntax_fault(message: str, length: int) -> str:
    """msgspec says `JSON is malformed: … (byte N)`, and names no byte where the text just ends."""
    if "(byte" in message:
        return message.removeprefix("JSON is malformed: ").replace("(byte ", "at byte ").rstrip(")")
    return f"it ends too early, at byte {length}"


def required_model(fields: dict[str, msgspec.Raw]) -> str:
    if "model" not in fields:
        raise missing("model")
    model: str = read(fields, "model", TEXT, "a string")
    if not model.strip():
        raise InvalidRequest("'model' must not be empty.", param="model")
    return model


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


def whole_number(fields: Mapping[str, msgspec.Raw], name: str, most: int | None = None) -> int | None:
    """A number ≥ 1, or None where the field is absent or null."""
    number: int | None = read(fields, name, WHOLE, "a whole number")
    if number is None:
        return None
    if number < 1 or (most is not None and number > most):
        bounds = "at least 1" if most is None else f"between 1 and {most}"
        raise InvalidRequest(f"'{name}' must be {bounds}.", param=name, code="integer_out_of_range")
    return number


def read(fields: Mapping[str, msgspec.Raw], name: str, decoder: "msgspec.json.Decoder[Any]", kind: str) -> Any:
    """One field decoded; None where it is absent."""
    raw = fields.get(name)
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        raise invalid_type(name, kind) from None


def missing(name: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")


def invalid_type(name: str, kind: str) -> InvalidRequest:
    return InvalidRequest(f"Invalid type for '{name}': expected {kind}.", param=name, code="invalid_type")


def read_within(fields: Mapping[str, msgspec.Raw], name: str, decoder: "msgspec.json.Decoder[Any]") -> Any:
    """One field that has fields of its own; None where it is absent."""
    raw = fields.get(name)
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong_within(name, error) from None


def wrong_within(name: str, error: msgspec.ValidationError) -> InvalidRequest:
    """msgspec says `Expected `str`, got `int` - at `$[0].content`"."""
    fault, _, path = str(error).partition(" - at `$")
    where = name + path.rstrip("`")
    if fault.startswith("Object missing required field `"):
        return missing(f"{where}.{fault.split('`')[1]}")
    return InvalidRequest(f"'{where}' cannot be read: {fault.replace('`', '')}.", param=where, code="invalid_type")
