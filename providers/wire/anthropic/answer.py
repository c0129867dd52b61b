"""Answers of the Messages API, whole (platform.claude.com/docs/en/api/messages).

Blocks of tools that the vendor runs itself (a search, a fetch, code) are its own affair: to callers of other dialects
only what the model says is told, and its calls of the caller's tools.
"""

from collections.abc import Iterable

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.anthropic.errors import error_in_answer
from providers.wire.anthropic.usage import ReportedUsage, usage_of
from providers.wire.calls import arguments_text
from providers.wire.lenient import read_as
from providers.wire.neutral import (
    Answer,
    Choice,
    Finish,
    Part,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from providers.wire.shapes import Chunk


class StopDetails(msgspec.Struct, gc=False):
    explanation: str | None = None


class Block(msgspec.Struct, gc=False):
    """Any content block: they name their parts alike."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw()


class Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    content: list[Block] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: ReportedUsage | None = None
    error: msgspec.Raw = msgspec.Raw()


MESSAGE = msgspec.json.Decoder(Message)
FINISHES: dict[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
}


def finish_of(reason: str) -> Finish:
    """A reason that was made up since is a stop like any other."""
    return FINISHES.get(reason, "stop")


def read_message(body: bytes) -> Message:
    """Raises UpstreamGarbled for bytes that are no message, and the error inside an answer that carries one."""
    message = read_as(MESSAGE, body)
    if failure := error_in_answer(message.error):
        raise failure
    if message.content is None:
        raise UpstreamGarbled("The provider's answer has no content.")
    return message


def parse_response(body: bytes) -> Chunk:
    """A whole answer as one finished chunk; raises as `read_message` does."""
    message = read_message(body)
    return Chunk(
        raw=body,
        text="".join(map(spoken, message.content or ())),
        model=message.model,
        finish_reason=finish_of(message.stop_reason or ""),
        usage=None if message.usage is None else usage_of(message.usage),
        finished=True,
        done=True,
    )


def spoken(block: Block) -> str:
    """What of a block was generated, for counting."""
    text = (block.thinking or "") + (block.text or "")
    return text + block.name + input_text(block.input) if block.name else text


def input_text(raw: msgspec.Raw) -> str:
    """A call's arguments for counting: nothing, where the stream has yet to bring them."""
    encoded = bytes(raw)
    return "" if encoded in (b"", b"{}", b"null") else encoded.decode("utf-8", "replace")


def read_answer(body: bytes) -> Answer:
    """Raises as `read_message` does."""
    message = read_message(body)
    parts = [part for block in message.content or () if (part := part_of(block)) is not None]
    if explanation := explanation_of(message.stop_details):
        parts.append(Refusal(text=explanation))
    choice = Choice(
        parts=tuple(joined(parts)),
        finish=finish_of(message.stop_reason or ""),
        stop_sequence=message.stop_sequence or "",
    )
    return Answer(
        choices=(choice,),
        id=message.id or "",
        model=message.model or "",
        usage=None if message.usage is None else usage_of(message.usage),
    )


def part_of(block: Block) -> Part | None:
    match block.type:
        case "text":
            return Text(text=block.text) if block.text else None
        case "thinking":
            known = Thinking(text=block.thinking or "", signature=block.signature or "")
            return known if known.text or known.signature else None
        case "redacted_thinking":
            return RedactedThinking(encoded=block.data or "")
        case "tool_use":
            return ToolCall(id=block.id or "", name=block.name or "", arguments=arguments_of(block.input))
        case _:
            return None


def arguments_of(raw: msgspec.Raw) -> str:
    try:
        return arguments_text(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UpstreamGarbled("The provider sent a call whose arguments cannot be read.") from None


def explanation_of(details: StopDetails | None) -> str:
    return "" if details is None else details.explanation or ""


def joined(parts: Iterable[Part]) -> list[Part]:
    """Texts in a row as one, which is what the deltas of a stream say of them; a cited text comes in many blocks."""
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, Text) and isinstance(last, Text):
            found[-1] = Text(text=last.text + part.text)
        elif isinstance(part, Thinking) and isinstance(last, Thinking) and not last.signature:
            found[-1] = Thinking(text=last.text + part.text, signature=part.signature)
        else:
            found.append(part)
    return found
