"""The messages of a Prompt as those of a chat completion."""

import base64
import binascii
from collections.abc import Iterable

from providers.wire.data_urls import data_url
from providers.wire.neutral import (
    Audio,
    Document,
    Image,
    Losses,
    Message,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from providers.wire.shapes import Quirks

Fields = dict[str, object]
# Under this name quirks say where a server wants the thought of earlier turns.
THINKING = "messages.thinking"


class Messages:
    """Writes messages.

    Cache markers are left out: servers of this wire find what repeats by themselves. So are thoughts, which another
    vendor signed, but for servers whose quirks name a field for them. A result of a tool holds text alone here; its
    pictures and files follow in a message of the user's.
    """

    def __init__(self, quirks: Quirks, losses: Losses) -> None:
        self._thinking_field = quirks.renamed.get(THINKING, "")
        self._losses = losses
        self._written: list[Fields] = []

    def of(self, messages: Iterable[Message]) -> list[Fields]:
        for position, message in enumerate(messages):
            place = f"messages[{position}]"
            if message.role == "tool":
                self._add_results(message, place)
            elif message.role == "assistant":
                self._add(message, self._assistant(message, place))
            else:
                self._add(message, {"content": self._content(message.parts, place)})
        return self._written

    def _add(self, message: Message, fields: Fields) -> None:
        named: Fields = {"name": message.name} if message.name else {}
        self._written.append({"role": message.role} | named | fields)

    def _content(self, parts: Iterable[Part], place: str) -> object:
        """One text alone is sent as a string, which every server reads."""
        written = [found for part in parts if (found := self._part(part, place)) is not None]
        if len(written) == 1 and written[0]["type"] == "text":
            return written[0]["text"]
        return written or ""

    def _part(self, part: Part, place: str) -> Fields | None:
        match part:
            case Text():
                return text_part(part.text)
            case Image():
                return image_part(part)
            case Audio():
                return {"type": "input_audio", "input_audio": {"data": part.encoded, "format": part.format}}
            case Document():
                return self._document(part, place)
            case _:
                self._losses.lose(f"{place}.{part.__struct_config__.tag}")
                return None

    def _document(self, part: Document, place: str) -> Fields | None:
        if part.file_id:
            return {"type": "file", "file": {"file_id": part.file_id}}
        if part.url:
            self._losses.lose(f"{place}.document.url")
            return None
        if part.media_type.startswith("text/") and (text := decoded_text(part.encoded)) is not None:
            return text_part(f"{part.title}\n\n{text}" if part.title else text)
        contents = data_url(part.media_type, part.encoded)
        return {"type": "file", "file": {"filename": part.title or "document.pdf", "file_data": contents}}

    def _assistant(self, message: Message, place: str) -> Fields:
        texts = [part for part in message.parts if isinstance(part, Text)]
        calls = [call_object(part) for part in message.parts if isinstance(part, ToolCall)]
        refusal = "".join(part.text for part in message.parts if isinstance(part, Refusal))
        thought = "".join(part.text for part in message.parts if isinstance(part, Thinking))
        for part in message.parts:
            if isinstance(part, Image | Document | Audio):
                self._losses.lose(f"{place}.{part.__struct_config__.tag}")
        fields: Fields = {"content": self._content(texts, place) if texts or not (calls or refusal) else None}
        if refusal:
            fields["refusal"] = refusal
        if calls:
            fields["tool_calls"] = calls
        if thought and self._thinking_field:
            fields[self._thinking_field] = thought
        return fields

    def _add_results(self, message: Message, place: str) -> None:
        shown: list[Fields] = []
        for part in message.parts:
            if not isinstance(part, ToolResult):
                self._losses.lose(f"{place}.{part.__struct_config__.tag}")
                continue
            texts = [each for each in part.parts if isinstance(each, Text)]
            if part.is_error:
                texts = [Text(text="\n".join(["Error:", *(each.text for each in texts)]))]
            content = self._content(texts, place)
            self._written.append({"role": "tool", "tool_call_id": part.call_id, "content": content})
            others = [each for each in part.parts if not isinstance(each, Text)]
            written = [found for each in others if (found := self._part(each, place)) is not None]
            if written:
                shown += [text_part(f"What the call {part.call_id} returned:"), *written]
        if shown:
            self._written.append({"role": "user", "content": shown})


def text_part(text: str) -> Fields:
    return {"type": "text", "text": text}


def image_part(image: Image) -> Fields:
    address = {"url": image.url or data_url(image.media_type, image.encoded)}
    if image.detail:
        address["detail"] = image.detail
    return {"type": "image_url", "image_url": address}


def call_object(call: ToolCall) -> Fields:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def decoded_text(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
