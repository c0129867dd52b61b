"""What a request asks, in whichever dialect: the last thing its user said, and what surrounds that.

Read from the caller's own JSON without decoding more of a conversation than its roles and the text of its last turn.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from providers.wire.shapes import ChatRequest

T = TypeVar("T")
HALF: Final = 4_096
MOST_PIECES: Final = 64
THINKS: Final = ("enabled", "adaptive")
NOTHING: Final = msgspec.Raw(b"")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is the head and the tail, 4,096 characters each, of what is asked; `characters` the length of all of it.

    `turns` counts what the user said, this included. `after_tools`: a tool's result came after it. `system_bytes` and
    `history_bytes` are of the JSON. `form` is what the answer must look like: "", "json" or "schema".
    `effort` is what the caller asked a reasoning model for: "" where nothing.
    """

    text: str = ""
    characters: int = 0
    turns: int = 1
    after_tools: bool = False
    tools: int = 0
    form: str = ""
    effort: str = ""
    pictures: bool = False
    system_bytes: int = 0
    history_bytes: int = 0
    max_output_tokens: int | None = None


class Turn(msgspec.Struct):
    role: str = ""
    content: msgspec.Raw = NOTHING
    type: str = ""


class Piece(msgspec.Struct):
    type: str = ""
    text: str = ""


class Kind(msgspec.Struct):
    type: str = ""


class FormatOptions(msgspec.Struct):
    format: Kind | None = None


class Thinking(msgspec.Struct):
    effort: str | None = None
    type: str = ""


Decoder = msgspec.json.Decoder
TURNS: Final[Decoder[str | list[Turn]]] = Decoder(str | list[Turn])
CONTENT: Final[Decoder[str | list[Piece] | None]] = Decoder(str | list[Piece] | None)
PROMPT: Final[Decoder[str | list[msgspec.Raw]]] = Decoder(str | list[msgspec.Raw])
LIST: Final = Decoder(list[msgspec.Raw])
KIND: Final[Decoder[Kind | None]] = Decoder(Kind | None)
FORMAT: Final[Decoder[FormatOptions | None]] = Decoder(FormatOptions | None)
WORD: Final[Decoder[str | None]] = Decoder(str | None)
THINKING: Final[Decoder[Thinking | None]] = Decoder(Thinking | None)


def texts_of(request: ChatRequest) -> Asked:
    """Raises nothing: what cannot be read counts as not said."""
    fields = request.fields
    said = spoken(fields)
    return Asked(
        text=shortened(said.text),
        characters=len(said.text),
        turns=said.turns,
        after_tools=said.after_tools,
        tools=len(read(LIST, fields, "tools", [])),
        form=form_of(fields),
        effort=effort_of(fields),
        pictures=said.pictures,
        system_bytes=said.system_bytes + length(fields, "system") + length(fields, "instructions"),
        history_bytes=said.history_bytes,
        max_output_tokens=request.max_output_tokens,
    )


class Said(msgspec.Struct):
    text: str = ""
    turns: int = 1
    after_tools: bool = False
    pictures: bool = False
    system_bytes: int = 0
    history_bytes: int = 0


def spoken(fields: Mapping[str, msgspec.Raw]) -> Said:
    if "prompt" in fields:
        return Said(text=prompt_text(fields))
    name = "messages" if "messages" in fields else "input"
    turns = read(TURNS, fields, name, [])
    return Said(text=turns) if isinstance(turns, str) else last_asked(turns)


def last_asked(turns: Sequence[Turn]) -> Said:
    """The last turn of the user that holds text; a tool's results are no turn of the user."""
    said = Said(turns=0)
    for turn in reversed(turns):
        if turn.role == "user":
            said.turns += 1
            if not said.text:
                text, pictures = text_of(turn.content)
                said.text, said.pictures = text, said.pictures or pictures
                said.after_tools = said.after_tools or not text
                continue
        elif turn.role in ("system", "developer"):
            said.system_bytes += len(memoryview(turn.content))
            continue
        elif not said.text and (turn.role == "tool" or turn.type.endswith("_output")):
            said.after_tools = True
        said.history_bytes += len(memoryview(turn.content))
    return said


def text_of(content: msgspec.Raw) -> tuple[str, bool]:
    """The text, and whether there is something beside text that is no tool's result."""
    try:
        pieces = CONTENT.decode(content) if content else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "", False
    if pieces is None or isinstance(pieces, str):
        return pieces or "", False
    texts = [piece.text for piece in pieces if piece.text]
    beside = any("image" in piece.type or piece.type in ("file", "document") for piece in pieces)
    # What was asked stands at the ends; a thousand pieces between them are material.
    if len(texts) > MOST_PIECES:
        texts = [*texts[: MOST_PIECES // 2], *texts[-MOST_PIECES // 2 :]]
    return "\n\n".join(texts), beside


def prompt_text(fields: Mapping[str, msgspec.Raw]) -> str:
    """Of the legacy endpoint: a text, or several of which the first counts; token ids are no text."""
    prompt = read(PROMPT, fields, "prompt", "")
    if isinstance(prompt, str):
        return prompt
    return text_of(prompt[0])[0] if prompt else ""


def form_of(fields: Mapping[str, msgspec.Raw]) -> str:
    """OpenAI says it in `response_format` or `text.format`, Anthropic in `output_config.format`."""
    kind = read(KIND, fields, "response_format", None)
    for name in ("text", "output_config"):
        options = None if kind else read(FORMAT, fields, name, None)
        kind = options.format if options else kind
    if kind is None or kind.type in ("", "text"):
        return ""
    return "schema" if kind.type == "json_schema" else "json"


def effort_of(fields: Mapping[str, msgspec.Raw]) -> str:
    """OpenAI says it in `reasoning_effort` or `reasoning.effort`, Anthropic in `output_config.effort` or `thinking`."""
    if effort := read(WORD, fields, "reasoning_effort", None):
        return effort
    for name in ("reasoning", "output_config", "thinking"):
        thinking = read(THINKING, fields, name, None)
        if thinking and (thinking.effort or thinking.type in THINKS):
            return thinking.effort or "medium"
    return ""


def read(decoder: "Decoder[T]", fields: Mapping[str, msgspec.Raw], name: str, absent: T) -> T:
    if name not in fields:
        return absent
    try:
        return decoder.decode(fields[name])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return absent


def length(fields: Mapping[str, msgspec.Raw], name: str) -> int:
    return len(memoryview(fields[name])) if name in fields else 0


def shortened(text: str) -> str:
    return text if len(text) <= 2 * HALF else f"{text[:HALF]}\n\n{text[-HALF:]}"
