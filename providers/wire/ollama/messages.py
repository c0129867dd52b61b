"""The messages of a conversation in Ollama's words: a text, and beside it images, a thought and calls."""

import binascii
from base64 import b64decode
from collections.abc import Iterator

from providers.wire.calls import CalledNames, arguments_object, placed
from providers.wire.neutral import (
    Document,
    Image,
    Losses,
    Message,
    Part,
    Prompt,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)


def messages_of(prompt: Prompt, losses: Losses) -> Iterator[dict[str, object]]:
    """Raises InvalidRequest for what cannot be said, by `losses`, and for results of no call."""
    names = CalledNames()
    for place, message in placed(prompt):
        if message.name:
            losses.lose(f"{place}.name")
        if message.role == "tool":
            for part in message.parts:
                if isinstance(part, ToolResult):
                    yield result_of(part, names.name_of(part, place), place, losses)
        else:
            names.note(message)
            yield message_of(message, place, losses)


def message_of(message: Message, place: str, losses: Losses) -> dict[str, object]:
    said = content_of(message.parts, place, losses, "" if message.role == "assistant" else "\n")
    thoughts = [part.text for part in message.parts if isinstance(part, Thinking) and part.text]
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if thoughts:
        said["thinking"] = "".join(thoughts)
    if calls:
        said["tool_calls"] = [call_of(call, f"{place}.tool_calls[{number}]") for number, call in enumerate(calls)]
    return {"role": message.role, **said}


def call_of(call: ToolCall, place: str) -> dict[str, object]:
    arguments = arguments_object(call, f"{place}.arguments")
    return {"id": call.id, "function": {"name": call.name, "arguments": arguments}}


def result_of(result: ToolResult, name: str, place: str, losses: Losses) -> dict[str, object]:
    """That a call went wrong has no field here, so that it is said."""
    said = content_of(result.parts, place, losses, "\n")
    if result.is_error:
        said["content"] = f"Error: {said['content']}"
    return {"role": "tool", **said, "tool_name": name, "tool_call_id": result.call_id}


def content_of(parts: tuple[Part, ...], place: str, losses: Losses, separator: str) -> dict[str, object]:
    """`content`, and `images` where there are any. Where between the texts an image stood Ollama cannot be told."""
    texts = (text_of(part, place, losses) for part in parts)
    content = separator.join(text for text in texts if text)
    images = [image for part in parts if isinstance(part, Image) and (image := image_of(part, place, losses))]
    return {"content": content, "images": images} if images else {"content": content}


def text_of(part: Part, place: str, losses: Losses) -> str:
    """What of a part is said in words; empty for what has a place of its own, and for what is lost."""
    match part:
        case Text() | Refusal():
            return part.text
        case Document():
            return written(part, place, losses)
        case Image() | Thinking() | ToolCall() | ToolResult():
            return ""
        case _:
            losses.lose(f"{place}.{part.__struct_config__.tag}")
            return ""


def written(document: Document, place: str, losses: Losses) -> str:
    """A document that is text, with its title."""
    if document.encoded and document.media_type.startswith("text/"):
        try:
            text = b64decode(document.encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        if text:
            return f"{document.title}:\n{text}" if document.title else text
    losses.lose(f"{place}.document")
    return ""


def image_of(image: Image, place: str, losses: Losses) -> str:
    if not image.encoded:
        losses.lose(f"{place}.image.url")
    return image.encoded
