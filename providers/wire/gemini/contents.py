"""The messages of a conversation in Gemini's words: turns of the user and of the model, each a list of parts.

Turns of one side in a row are one, results of calls alone: Gemini wants as many of them in a turn as there were calls.
"""

from providers.wire.calls import CalledNames, arguments_object, placed
from providers.wire.gemini.thinking import has_levels
from providers.wire.neutral import (
    Audio,
    Document,
    Image,
    Losses,
    Message,
    Part,
    Prompt,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from providers.wire.shapes import Target

Spoken = dict[str, object]

ROLES = {"user": "user", "assistant": "model", "tool": "user", "system": "user"}
# Google's word for a call whose thought another model had, or whose caller could not keep the proof of it.
# (ai.google.dev/gemini-api/docs/thought-signatures)
NO_PROOF = "skip_thought_signature_validator"
MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
}


class Contents:
    """`turns` and the `system` instruction, None for none. Raises InvalidRequest for what cannot be said."""

    def __init__(self, target: Target, losses: Losses) -> None:
        self.turns: list[Spoken] = []
        self.system: Spoken | None = None
        self._target = target
        self._losses = losses
        self._is_newer = has_levels(target.model)
        self._names = CalledNames()

    def add(self, prompt: Prompt) -> None:
        """Instructions are gathered ahead of all turns; where there is nothing else, they are what the user says."""
        instructions: list[Spoken] = []
        before = ""
        for place, message in placed(prompt):
            if message.name:
                self._losses.lose(f"{place}.name")
            parts = self._parts(message, place)
            if message.role == "system":
                instructions += parts
            elif before == message.role:
                self._extend(parts)
            elif parts:
                self.turns.append({"role": ROLES[message.role], "parts": parts})
                before = message.role
            self._names.note(message)
        if instructions and self.turns:
            self.system = {"parts": instructions}
        elif instructions:
            self.turns.append({"role": "user", "parts": instructions})

    def _extend(self, parts: list[Spoken]) -> None:
        last = self.turns[-1]["parts"]
        if isinstance(last, list):
            last += parts

    def _parts(self, message: Message, place: str) -> list[Spoken]:
        parts: list[Spoken] = []
        calls = 0
        for part in message.parts:
            match part:
                case ToolCall():
                    parts.append(self._call(part, f"{place}.tool_calls[{calls}]", first=calls == 0))
                    calls += 1
                case ToolResult():
                    parts += self._result(part, place)
                case Thinking():
                    think(part, parts)
                case Text() if part.text and parts and parts[-1].get("text") == "":
                    parts[-1]["text"] = part.text
                case _:
                    parts += self._said(part, place)
        return parts

    def _call(self, call: ToolCall, place: str, *, first: bool) -> Spoken:
        arguments = arguments_object(call, f"{place}.arguments")
        spoken: Spoken = {"functionCall": {"id": call.id, "name": call.name, "args": arguments}}
        signature = call.signature or (NO_PROOF if first and self._is_newer else "")
        return {**spoken, "thoughtSignature": signature} if signature else spoken

    def _result(self, result: ToolResult, place: str) -> list[Spoken]:
        """Since Gemini 3 a result holds its media itself; before, and where they are links, they stand beside it."""
        said = [spoken for part in result.parts for spoken in self._said(part, place)]
        texts = [str(spoken["text"]) for spoken in said if "text" in spoken]
        held = [spoken for spoken in said if "inlineData" in spoken and self._is_newer]
        beside = [spoken for spoken in said if "text" not in spoken and spoken not in held]
        response: Spoken = {
            "id": result.call_id,
            "name": self._names.name_of(result, place),
            "response": {"error" if result.is_error else "output": "\n".join(texts)},
        }
        return [{"functionResponse": {**response, "parts": held} if held else response}, *beside]

    def _said(self, part: Part, place: str) -> list[Spoken]:
        match part:
            case Text() | Refusal():
                return [{"text": part.text}] if part.text else []
            case Image():
                return [inline(part.media_type, part.encoded) if part.encoded else linked(part)]
            case Audio():
                return [inline(f"audio/{part.format}", part.encoded)]
            case Document():
                return self._document(part, place)
            case RedactedThinking():
                self._losses.lose(f"{place}.redacted_thinking")
        return []

    def _document(self, document: Document, place: str) -> list[Spoken]:
        """A title has no field, so that it is said ahead of what it names."""
        uri = document.url or self._uri_of(document.file_id)
        if document.encoded:
            shown = inline(document.media_type, document.encoded)
        elif uri:
            shown = {"fileData": {"mimeType": document.media_type, "fileUri": uri}}
        else:
            self._losses.lose(f"{place}.document.file_id")
            return []
        return [{"text": f"{document.title}:"}, shown] if document.title else [shown]

    def _uri_of(self, file_id: str) -> str:
        """Files kept by Google are named by URIs, or by the end of one: `files/…`."""
        if file_id.startswith("files/"):
            return f"{self._target.base_url.rstrip('/')}/{file_id}"
        return file_id if "://" in file_id else ""


def think(thought: Thinking, parts: list[Spoken]) -> None:
    """A signature without a thought belongs to the text before it, or after it in dialects that put thoughts first."""
    signed: Spoken = {"thoughtSignature": thought.signature} if thought.signature else {}
    if thought.text:
        parts.append({"text": thought.text, "thought": True, **signed})
    elif signed and parts and parts[-1].keys() == {"text"}:
        parts[-1] |= signed
    elif signed:
        parts.append({"text": "", **signed})


def inline(media_type: str, encoded: str) -> Spoken:
    return {"inlineData": {"mimeType": media_type, "data": encoded}}


def linked(image: Image) -> Spoken:
    ending = image.url.partition("?")[0].rpartition(".")[2].lower()
    media_type = image.media_type or MEDIA_TYPES.get(ending, "")
    named: Spoken = {"mimeType": media_type} if media_type else {}
    return {"fileData": {**named, "fileUri": image.url}}
