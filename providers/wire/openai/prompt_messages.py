"""The messages of a chat completion as those of a Prompt."""

import msgspec

from common.errors import InvalidRequest
from providers.wire.data_urls import within_data_url
from providers.wire.fields import missing, wrong_within
from providers.wire.neutral import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from providers.wire.openai.incoming import (
    AudioPart,
    CalledFunction,
    FilePart,
    GivenCall,
    GivenMessage,
    GivenPart,
    ImageAddress,
    ImagePart,
    Marked,
    RedactedPart,
    RefusalPart,
    TextPart,
    ThinkingPart,
)

MESSAGES = msgspec.json.Decoder(list[GivenMessage])
LOOSE = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
CALLS = msgspec.json.Decoder(list[msgspec.Raw])
ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
ALLOWED: dict[Role, tuple[type, ...]] = {
    "system": (Text,),
    "user": (Text, Image, Document, Audio),
    "assistant": (Text, Refusal, Thinking, RedactedThinking),
    "tool": (Text, Image, Document),
}


class Conversation:
    """Reads messages one after the other. `others` is what has no place in a Prompt, by its path."""

    def __init__(self, raw: msgspec.Raw) -> None:
        self._raw = raw
        self.messages: list[Message] = []
        self.others: dict[str, msgspec.Raw] = {}
        self._legacy_call = ""
        for position, given in enumerate(decoded(raw)):
            self._add(given, f"messages[{position}]", position)

    def _add(self, given: GivenMessage, place: str, position: int) -> None:
        role = ROLES.get(given.role)
        if role is None:
            known = ", ".join(ROLES)
            raise InvalidRequest(f"'{place}.role' must be one of {known}.", param=f"{place}.role", code="invalid_value")
        if role == "tool":
            self._add_result(given, place)
            return
        parts = parts_of(given.content, role, place)
        if role == "assistant":
            parts = [*thoughts_of(given), *parts, *self._calls_of(given, place, position)]
            if bytes(given.audio) not in (b"", b"null"):
                self.others[f"{place}.audio"] = given.audio
        self.messages.append(Message(role=role, parts=tuple(marked(parts, given)), name=given.name or ""))

    def _add_result(self, given: GivenMessage, place: str) -> None:
        """Results one after the other answer calls of one turn: one message holds them all."""
        call_id = given.tool_call_id or (self._legacy_call if given.role == "function" else "")
        if not call_id:
            raise missing(f"{place}.tool_call_id")
        shown = tuple(
            part for part in parts_of(given.content, "tool", place) if isinstance(part, Text | Image | Document)
        )
        result = ToolResult(call_id=call_id, parts=shown, cache=cache_of(given))
        earlier: tuple[Part, ...] = ()
        if self.messages and self.messages[-1].role == "tool":
            earlier = self.messages.pop().parts
        self.messages.append(Message(role="tool", parts=(*earlier, result)))

    def _calls_of(self, given: GivenMessage, place: str, position: int) -> list[Part]:
        found: list[Part] = []
        if given.refusal:
            found.append(Refusal(text=given.refusal))
        for number, call in enumerate(given.tool_calls or ()):
            if call.function is None:
                where = f"{place}.tool_calls[{number}]"
                self.others[where] = CALLS.decode(LOOSE.decode(self._raw)[position]["tool_calls"])[number]
            else:
                found.append(tool_call(call, call.function, f"{place}.tool_calls[{number}]"))
        if given.function_call is not None:
            self._legacy_call = f"call_{position}"
            called = given.function_call
            found.append(ToolCall(id=self._legacy_call, name=called.name, arguments=called.arguments))
        return found


def decoded(raw: msgspec.Raw) -> list[GivenMessage]:
    try:
        return MESSAGES.decode(raw)
    except msgspec.ValidationError as error:
        raise wrong_within("messages", error) from None


def tool_call(call: GivenCall, function: CalledFunction, place: str) -> ToolCall:
    if not call.id:
        raise missing(f"{place}.id")
    google = call.extra_content.google if call.extra_content else None
    return ToolCall(
        id=call.id,
        name=function.name,
        arguments=function.arguments,
        signature=(google.thought_signature or "") if google else "",
        cache=cache_of(call),
    )


def thoughts_of(given: GivenMessage) -> list[Part]:
    """`thinking_blocks` carry signatures; without them the same thought is there as plain text."""
    if given.thinking_blocks:
        return [thought_of(block) for block in given.thinking_blocks]
    text = given.reasoning_content or given.reasoning
    return [Thinking(text=text)] if text else []


def parts_of(content: str | list[GivenPart] | None, role: Role, place: str) -> list[Part]:
    if isinstance(content, str):
        return [Text(text=content)] if content else []
    found = [part_of(given) for given in content or ()]
    for number, part in enumerate(found):
        if not isinstance(part, ALLOWED[role]):
            where = f"{place}.content[{number}].type"
            raise InvalidRequest(f"'{where}' is not for a message of this role.", param=where, code="invalid_value")
    return found


def part_of(given: GivenPart) -> Part:
    match given:
        case TextPart():
            return Text(text=given.text, cache=cache_of(given))
        case ImagePart():
            return image_of(given)
        case AudioPart():
            return Audio(encoded=given.input_audio.encoded, format=given.input_audio.format)
        case FilePart():
            return document_of(given)
        case RefusalPart():
            return Refusal(text=given.refusal)
        case _:
            return thought_of(given)


def thought_of(given: ThinkingPart | RedactedPart) -> Thinking | RedactedThinking:
    if isinstance(given, RedactedPart):
        return RedactedThinking(encoded=given.encoded)
    text = given.thinking if isinstance(given.thinking, str) else "".join(each.text for each in given.thinking)
    return Thinking(text=text, signature=given.signature or "")


def image_of(given: ImagePart) -> Image:
    address = given.image_url
    if isinstance(address, str):
        address = ImageAddress(url=address)
    media_type, encoded = within_data_url(address.url)
    detail, cache = address.detail or "", cache_of(given)
    if media_type:
        return Image(encoded=encoded, media_type=media_type, detail=detail, cache=cache)
    return Image(url=address.url, detail=detail, cache=cache)


def document_of(given: FilePart) -> Document:
    """`file_data` is a data URL, base64 alone, or (OpenRouter's way) the URL of the file."""
    contents, cache = given.file.file_data or "", cache_of(given)
    title, file_id = given.file.filename or "", given.file.file_id or ""
    if contents.startswith(("http://", "https://")):
        return Document(url=contents, title=title, cache=cache)
    media_type, encoded = within_data_url(contents)
    if media_type:
        return Document(encoded=encoded, media_type=media_type, title=title, file_id=file_id, cache=cache)
    return Document(encoded=contents, title=title, file_id=file_id, cache=cache)


def cache_of(given: Marked) -> str:
    marker = given.cache_control or given.prompt_cache_breakpoint
    if marker is None:
        return ""
    return "5m" if marker.ttl in (None, "", "5m") else "1h"


def marked(parts: list[Part], given: GivenMessage) -> list[Part]:
    """A marker on a message stands after its last part."""
    cache = cache_of(given)
    if cache and parts and isinstance(parts[-1], Text | Image | Document | ToolCall):
        parts[-1] = msgspec.structs.replace(parts[-1], cache=cache)
    return parts
