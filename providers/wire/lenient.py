"""Reading what a provider sent although some field of it has a type that nobody expects.

An answer is never lost over a field that could not be typed: what has the right type is taken, the rest is as if it
had not been sent.
"""

from typing import Any, TypeVar, get_args, get_origin

import msgspec

from common.errors import UpstreamGarbled

Shape = TypeVar("Shape", bound=msgspec.Struct)
FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def read_as(decoder: "msgspec.json.Decoder[Shape]", encoded: bytes) -> Shape:
    """A JSON object as the decoder's type, every field of which has a default.

    Raises UpstreamGarbled for bytes that are no JSON object.
    """
    try:
        try:
            return decoder.decode(encoded)
        except msgspec.ValidationError:
            encoded.decode()
            return what_fits(encoded, decoder.type)
    except msgspec.ValidationError:
        raise UpstreamGarbled("The provider sent JSON that is not an object.") from None
    except RecursionError:
        raise UpstreamGarbled("The provider's answer is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UpstreamGarbled("The provider sent something that is not JSON.") from None


def what_fits(encoded: bytes, shape: type[Shape]) -> Shape:
    """Raises msgspec.ValidationError for what is no object."""
    sent = FIELDS.decode(encoded)
    fitting: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        if field.encode_name in sent:
            try:
                fitting[field.name] = value_of(bytes(sent[field.encode_name]), field.type)
            except msgspec.ValidationError:
                continue
    return shape(**fitting)


def value_of(encoded: bytes, kind: Any) -> Any:
    """Raises msgspec.ValidationError for a value that has nothing to do with its type."""
    try:
        return msgspec.json.decode(encoded, type=kind)
    except msgspec.ValidationError:
        inner = struct_in(kind)
        if inner is None:
            raise
        if not holds_many(kind):
            return what_fits(encoded, inner)
        return [what_fits(bytes(item), inner) for item in ITEMS.decode(encoded) if bytes(item).startswith(b"{")]


def holds_many(kind: Any) -> bool:
    return get_origin(kind) is list or any(map(holds_many, get_args(kind)))


def struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The struct of `Struct | None` or `list[Struct] | None`."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for each in get_args(kind) if (found := struct_in(each))), None)
