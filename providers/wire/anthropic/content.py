"""Content blocks of a Messages request as parts of a prompt (platform.claude.com/docs/en/api/messages).

A block, or a way to source one, that only Anthropic knows is no part: it is lost, under its path.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Final

import msgspec

from providers.wire.neutral import (
    Document,
    Image,
    Part,
    RedactedThinking,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from providers.wire.places import FLAG, TEXT, Kind, Place, refused, wrong_value

Parts = tuple[Part, ...]
Content = str | list[msgspec.Raw]

CONTENT: Final[Kind[Content]] = Kind(msgspec.json.Decoder(Content), "a valid string or a valid list")
LIFETIMES: Final = ("5m", "1h")
ALLOWED: Final = {
    "user": {"text", "image", "document", "search_result", "tool_result"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
    "system": {"text"},
    "tool_result": {"text", "image", "document", "search_result"},
    "source": {"text", "image"},
}
NO_CITATIONS: Final[tuple[object, ...]] = ({"enabled": False}, {}, [])


def content_parts(place: Place, name: str, kind: str) -> Parts:
    """The parts of a field that is a string or a list of blocks; `kind` is a key of ALLOWED."""
    content = place.need(name, CONTENT)
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    found: list[Part] = []
    for index, raw in enumerate(content):
        found += block_parts(place.item(name, index, raw), kind)
    return tuple(found)


def block_parts(block: Place, kind: str) -> Parts:
    tag = block.need("type", TEXT)
    reader = READERS.get(tag)
    if reader is None:
        block.lose("type", tag)
        return ()
    if tag not in ALLOWED[kind]:
        raise refused(block.path, f"`{tag}` blocks are not allowed in `{kind}` content")
    parts = reader(block)
    block.close()
    return parts


def marker(place: Place) -> str:
    """How long a cache marker lasts, empty for none."""
    control = place.child("cache_control")
    if control is None:
        return ""
    if control.need("type", TEXT) != "ephemeral":
        raise wrong_value(control.at("type"), "ephemeral")
    lifetime = control.text("ttl") or LIFETIMES[0]
    if lifetime not in LIFETIMES:
        raise wrong_value(control.at("ttl"), *LIFETIMES)
    control.close()
    return lifetime


def text_parts(block: Place) -> Parts:
    block.ignore("citations", *NO_CITATIONS)
    return (Text(text=block.need("text", TEXT), cache=marker(block)),)


def image_parts(block: Place) -> Parts:
    source = block.needed_child("source")
    cache = marker(block)
    block.ignore("transformations", {})
    match source.need("type", TEXT):
        case "base64":
            image = Image(encoded=source.need("data", TEXT), media_type=source.need("media_type", TEXT), cache=cache)
        case "url":
            image = Image(url=source.need("url", TEXT), cache=cache)
        case other:
            source.lose("type", other)
            return ()
    source.close()
    return (image,)


def document_parts(block: Place) -> Parts:
    source = block.needed_child("source")
    title, cache = block.text("title"), marker(block)
    block.ignore("citations", *NO_CITATIONS)
    match source.need("type", TEXT):
        case "base64":
            encoded, media_type = source.need("data", TEXT), source.need("media_type", TEXT)
            parts: Parts = (Document(encoded=encoded, media_type=media_type, title=title, cache=cache),)
        case "url":
            parts = (Document(url=source.need("url", TEXT), title=title, cache=cache),)
        case "file":
            parts = (Document(file_id=source.need("file_id", TEXT), title=title, cache=cache),)
        case "text":
            source.ignore("media_type", "text/plain")
            parts = (text_document(source.need("data", TEXT), title, cache),)
        case "content":
            parts = composed(content_parts(source, "content", "source"), title, cache)
        case other:
            source.lose("type", other)
            return ()
    source.close()
    return parts


def text_document(text: str, title: str, cache: str) -> Document:
    return Document(encoded=b64encode(text.encode()).decode(), media_type="text/plain", title=title, cache=cache)


def composed(parts: Parts, title: str, cache: str) -> Parts:
    """A document made of blocks: one text, or, where it has pictures, the blocks themselves."""
    texts = [part.text for part in parts if isinstance(part, Text)]
    if len(texts) == len(parts):
        return (text_document("\n".join(texts), title, cache),)
    heading = (Text(text=title),) if title else ()
    last = parts[-1]
    if cache and isinstance(last, Text | Image):
        parts = (*parts[:-1], msgspec.structs.replace(last, cache=cache))
    return heading + parts


def search_result_parts(block: Place) -> Parts:
    """Its source and title go first: the model is to know where the text is from."""
    title, source = block.need("title", TEXT), block.need("source", TEXT)
    block.ignore("citations", *NO_CITATIONS)
    parts = content_parts(block, "content", "system")
    texts = [part.text for part in parts if isinstance(part, Text)]
    return (Text(text="\n".join([title, source, "", *texts]), cache=marker(block)),)


def thinking_parts(block: Place) -> Parts:
    return (Thinking(text=block.need("thinking", TEXT), signature=block.text("signature")),)


def redacted_parts(block: Place) -> Parts:
    return (RedactedThinking(encoded=block.need("data", TEXT)),)


def tool_use_parts(block: Place) -> Parts:
    block.ignore("caller", {"type": "direct"})
    arguments = bytes(block.raw_object("input")).decode()
    return (
        ToolCall(id=block.need("id", TEXT), name=block.need("name", TEXT), arguments=arguments, cache=marker(block)),
    )


def tool_result_parts(block: Place) -> Parts:
    return (
        ToolResult(
            call_id=block.need("tool_use_id", TEXT),
            parts=result_parts(block),
            is_error=block.take("is_error", FLAG) or False,
            cache=marker(block),
        ),
    )


def result_parts(block: Place) -> tuple[Text | Image | Document, ...]:
    if not block.has("content"):
        return ()
    parts = content_parts(block, "content", "tool_result")
    return tuple(part for part in parts if isinstance(part, Text | Image | Document))


READERS: Final[dict[str, Callable[[Place], Parts]]] = {
    "text": text_parts,
    "image": image_parts,
    "document": document_parts,
    "search_result": search_result_parts,
    "thinking": thinking_parts,
    "redacted_thinking": redacted_parts,
    "tool_use": tool_use_parts,
    "tool_result": tool_result_parts,
}
