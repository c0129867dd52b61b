"""Calls of functions for wires and dialects that hold arguments as an object, tell results by the function's name, or
have no field for a call's proof."""

from collections.abc import Iterator
from hashlib import blake2b

import msgspec

from common.errors import InvalidRequest
from providers.wire.neutral import Message, Part, Prompt, Thinking, ToolCall, ToolResult

OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
TEXT = msgspec.json.Decoder(str)
# A call's proof of the thought behind it (`ToolCall.signature`) has no field of its own in some dialects: it travels as
# a thought without words before the call, which callers send back unchanged as they do with every thought.
SIGNED_CALL = "tool_call:"


def arguments_object(call: ToolCall, place: str) -> msgspec.Raw:
    """The call's arguments as a JSON object. Raises InvalidRequest naming `place` for what is none."""
    if not call.arguments.strip():
        return msgspec.Raw(b"{}")
    encoded = call.arguments.encode("utf-8", "replace")
    try:
        OBJECT.decode(encoded)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest(f"'{place}' must be a JSON object.", param=place, code="invalid_value") from None
    return msgspec.Raw(encoded)


def arguments_text(raw: msgspec.Raw) -> str:
    """Arguments as a provider sent them, without space between them; `{}` for none. Some quote the object.

    Raises DecodeError for what cannot be read.
    """
    encoded = bytes(raw)
    if encoded in (b"", b"null"):
        return "{}"
    return TEXT.decode(encoded) if encoded.startswith(b'"') else msgspec.json.format(encoded, indent=-1).decode()


def placed(prompt: Prompt) -> Iterator[tuple[str, Message]]:
    """Messages, each with the path that the caller knows it by."""
    for index, message in enumerate(prompt.messages):
        place = f"messages[{index}]"
        yield prompt.names.get(place, place), message


class CalledNames:
    """The functions' names by the ids of their calls, as a conversation goes on."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def note(self, message: Message) -> None:
        self._names.update((part.id, part.name) for part in message.parts if isinstance(part, ToolCall))

    def name_of(self, result: ToolResult, place: str) -> str:
        """Raises InvalidRequest where no message before the one at `place` holds the call."""
        if result.call_id in self._names:
            return self._names[result.call_id]
        param = f"{place}.tool_call_id"
        raise InvalidRequest(f"'{param}' answers no call of an earlier message.", param=param, code="invalid_value")


def made_id(*known: str) -> str:
    """An id for a call that its provider gave none: the same for the same call of the same answer."""
    return "call_" + blake2b("\0".join(known).encode("utf-8", "replace"), digest_size=12).hexdigest()


def sign_calls(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Puts the proofs that travelled as thoughts back on the calls after them."""
    signed: list[Part] = []
    proof = ""
    for part in parts:
        if isinstance(part, Thinking) and not part.text and part.signature.startswith(SIGNED_CALL):
            proof = part.signature.removeprefix(SIGNED_CALL)
        elif isinstance(part, ToolCall) and proof:
            signed.append(msgspec.structs.replace(part, signature=proof))
            proof = ""
        else:
            signed.append(part)
    return tuple(signed)
