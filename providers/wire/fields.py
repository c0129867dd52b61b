"""Reading a request's fields, and what is wrong with one in OpenAI's words.

Every field stays the caller's own JSON text until somebody asks for it by its name.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from common.errors import InvalidRequest

MAX_CHOICES = 128
BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])
TEXT = msgspec.json.Decoder(str)
FLAG = msgspec.json.Decoder(bool | None)
WHOLE = msgspec.json.Decoder(int | None)
OPTIONS = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


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


def wants_usage(options: dict[str, msgspec.Raw]) -> bool:
    try:
        return bool(FLAG.decode(options.get("include_usage", b"false")))
    except msgspec.DecodeError:
        raise invalid_type("stream_options", "an object whose include_usage is true or false") from None


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
