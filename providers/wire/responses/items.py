"""The items of an input as the messages of a prompt.

Items stand one after the other what a message holds together: an assistant's thought, words and calls are one message
here, and so are the results of the calls that it made at once.

A thought is a `reasoning` item. Its proof is in `encrypted_content`, where the vendor's own items have what only the
vendor can read; and so are, each behind a word of its own, a redacted thought and a call's proof of the thought behind
it, for which there is no other field.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from providers.wire.calls import sign_calls
from providers.wire.neutral import Message, Part, RedactedThinking, Role, Text, Thinking, ToolCall, ToolResult
from providers.wire.places import TEXT, missing, refused, wrong_value
from providers.wire.responses.content import content_parts
from providers.wire.responses.words import CONTENT, Place

REDACTED: Final = "redacted_thinking:"
ROLES: Final[dict[str, Role]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
JOINED: Final = ("assistant", "tool")
Said = tuple[Role, tuple[Part, ...]]


def conversation(body: Place, names: dict[str, str]) -> tuple[Message, ...]:
    """`names` is told the item that each message began with."""
    found: list[Message] = []
    for path, (role, parts) in said(body):
        if not parts:
            continue
        if found and found[-1].role == role and role in JOINED:
            found[-1] = Message(role=role, parts=(*found[-1].parts, *parts))
        else:
            names[f"messages[{len(found)}]"] = path
            found.append(Message(role=role, parts=parts))
    return tuple(signed(message) for message in found)


def signed(message: Message) -> Message:
    if message.role != "assistant":
        return message
    return msgspec.structs.replace(message, parts=sign_calls(message.parts))


def said(body: Place) -> Iterator[tuple[str, Said]]:
    """Who said what, and where that is written."""
    if instructions := body.text("instructions"):
        yield "instructions", ("system", (Text(text=instructions),))
    given = body.take("input", CONTENT)
    if isinstance(given, str):
        yield "input", ("user", (Text(text=given),) if given else ())
        return
    for index, raw in enumerate(given or ()):
        item = body.item("input", index, raw)
        reader = reader_of(item)
        if reader is None:
            item.lose_whole()
            continue
        item.forget("type")
        yield item.path, reader(item)
        item.close()


def reader_of(item: Place) -> Callable[[Place], Said] | None:
    """None for what is only kept by the vendor, or done by it."""
    if item.has("type"):
        return READERS.get(item.kind())
    if item.has("role"):
        return message_of
    if item.has("id"):
        return None
    raise missing(item.at("role"))


def message_of(item: Place) -> Said:
    item.forget("id", "status", "phase")
    role = ROLES.get(item.need("role", TEXT))
    if role is None:
        raise wrong_value(item.at("role"), *ROLES)
    return role, content_parts(item, "content", role)


def call_of(item: Place) -> Said:
    item.forget("id", "status")
    item.ignore("caller", {"type": "direct"})
    item.ignore("async", False)
    return "assistant", (
        ToolCall(id=call_id(item), name=item.need("name", TEXT), arguments=item.need("arguments", TEXT)),
    )


def result_of(item: Place) -> Said:
    # The name is the call's, which has it as well.
    item.forget("id", "status", "name")
    item.ignore("caller", {"type": "direct"})
    parts = content_parts(item, "output", "tool")
    return "tool", (ToolResult(call_id=call_id(item), parts=parts),)  # type: ignore[arg-type]


def call_id(item: Place) -> str:
    found = item.need("call_id", TEXT)
    if not found:
        raise refused(item.at("call_id"), "must not be empty")
    return found


def thought_of(item: Place) -> Said:
    """The thought itself where it is told, and else its summary."""
    item.forget("id", "status")
    proof = item.text("encrypted_content")
    summary, thought = texts_of(item, "summary"), texts_of(item, "content")
    if proof.startswith(REDACTED):
        return "assistant", (RedactedThinking(encoded=proof.removeprefix(REDACTED)),)
    text = "\n\n".join(thought or summary)
    return "assistant", (Thinking(text=text, signature=proof),) if text or proof else ()


def texts_of(item: Place, name: str) -> list[str]:
    found = []
    for each in item.each(name):
        each.forget("type")
        found.append(each.need("text", TEXT))
        each.close()
    return found


READERS: Final[dict[str, Callable[[Place], Said]]] = {
    "message": message_of,
    "function_call": call_of,
    "function_call_output": result_of,
    "reasoning": thought_of,
}
