"""An answer as a Message (platform.claude.com/docs/en/api/messages)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from common.ids import new_id
from providers.wire.calls import SIGNED_CALL
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
from providers.wire.shapes import ChatRequest, Usage

Fields = dict[str, Any]

STOP_REASONS: Final[Mapping[Finish, str]] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}
NO_ANSWER: Final = Choice(parts=(), finish="stop")
NO_USAGE: Final = Usage()
OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
# Arguments that a model left invalid or unfinished are given under this name, as Anthropic's guide to such arguments
# advises (platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming).
INVALID_JSON: Final = "INVALID_JSON"


def render_answer(answer: Answer, request: ChatRequest) -> bytes:
    """The first choice, since this dialect asks for no more; what it said in logprobs is left out."""
    choice = answer.choices[0] if answer.choices else NO_ANSWER
    called = any(isinstance(part, ToolCall) for part in choice.parts)
    message = message_fields(answer.id, answer.model or request.model, answer.usage)
    message["content"] = [block for part in choice.parts for block in blocks_of(part)]
    message.update(stop_fields(choice.finish, choice.stop_sequence, called=called))
    return msgspec.json.encode(message)


def message_fields(id: str, model: str, usage: Usage | None) -> Fields:
    """A Message that has yet to say something."""
    return {
        "id": message_id(id),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage_fields(usage or NO_USAGE),
    }


def message_id(id: str) -> str:
    return id if id.startswith("msg_") else f"msg_{id.removeprefix('chatcmpl-') or new_id().hex}"


def call_id(id: str) -> str:
    return id or f"toolu_{new_id().hex}"


def stop_fields(finish: Finish, stop_sequence: str, *, called: bool) -> Fields:
    """Some providers stop when they called; a caller looks for `tool_use` to know that there is something to do."""
    reason = "tool_use" if called and finish == "stop" else STOP_REASONS[finish]
    return {"stop_reason": reason, "stop_sequence": stop_sequence or None}


def usage_fields(usage: Usage) -> Fields:
    """Anthropic counts what was read from a cache, and what was written to it, beside the input."""
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    fields: Fields = {
        "input_tokens": max(usage.input_tokens - cached, 0),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        fields["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return fields


def blocks_of(part: Part) -> list[Fields]:
    match part:
        case Text() | Refusal():
            return [text_block(part.text)] if part.text else []
        case Thinking():
            return [thinking_block(part.text, part.signature)] if part.text or part.signature else []
        case RedactedThinking():
            return [redacted_block(part.encoded)]
        case ToolCall():
            proof = [thinking_block("", SIGNED_CALL + part.signature)] if part.signature else []
            return [*proof, tool_block(part.id, part.name, tool_input(part.arguments))]
        case _:
            return []


def text_block(text: str) -> Fields:
    return {"type": "text", "text": text}


def thinking_block(text: str, signature: str) -> Fields:
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted_block(encoded: str) -> Fields:
    return {"type": "redacted_thinking", "data": encoded}


def tool_block(id: str, name: str, arguments: object) -> Fields:
    return {"type": "tool_use", "id": call_id(id), "name": name, "input": arguments}


def tool_input(arguments: str) -> object:
    """The object that the model wrote, as it wrote it."""
    if arguments.strip() in ("", "null"):
        return {}
    encoded = arguments.encode()
    try:
        OBJECT.decode(encoded)
    except (msgspec.DecodeError, RecursionError):
        return {INVALID_JSON: arguments}
    return msgspec.Raw(encoded)
