"""An answer as a chat completion, whole or in chunks (platform.openai.com/docs/api-reference/chat-streaming).

Thinking is in `reasoning_content`, and where it carries a signature in `thinking_blocks` too, so that a caller can
send it back with the next turn (docs.litellm.ai/docs/reasoning_content). A signature of a call is in `extra_content`
(ai.google.dev/gemini-api/docs/openai).
"""

import msgspec

from providers.wire.neutral import (
    Answer,
    Choice,
    Finished,
    RedactedThinking,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ThinkingRedacted,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
)
from providers.wire.openai.frames import ENCODE, Chunks, Frame
from providers.wire.openai.words import reason_of
from providers.wire.shapes import ChatRequest

FRAME = Frame(prefix="chatcmpl-", whole="chat.completion", chunk="chat.completion.chunk")
Delta = dict[str, object]


def render_answer(answer: Answer, request: ChatRequest) -> bytes:
    legacy = asks_for_functions(request)
    return FRAME.answer(answer, request, [choice_object(choice, legacy=legacy) for choice in answer.choices])


def asks_for_functions(request: ChatRequest) -> bool:
    """What callers did before there were tools; they look for the answer in `function_call`."""
    return "functions" in request.fields and "tools" not in request.fields


def choice_object(choice: Choice, *, legacy: bool) -> dict[str, object]:
    refusal = "".join(part.text for part in choice.parts if isinstance(part, Refusal))
    texts = [part.text for part in choice.parts if isinstance(part, Text)]
    calls = [call_object(part) for part in choice.parts if isinstance(part, ToolCall)]
    message: Delta = {
        "role": "assistant",
        "content": "".join(texts) if texts else None,
        "refusal": refusal or None,
    } | thoughts_object(choice)
    if calls and legacy:
        message["function_call"] = calls[0]["function"]
    elif calls:
        message["tool_calls"] = calls
    return {
        "index": choice.index,
        "message": message,
        "logprobs": choice.logprobs,
        "finish_reason": shown_reason(reason_of(choice.finish, told=bool(refusal)), legacy=legacy),
    }


def shown_reason(reason: str, *, legacy: bool) -> str:
    return "function_call" if legacy and reason == "tool_calls" else reason


def thoughts_object(choice: Choice) -> Delta:
    thoughts = [part for part in choice.parts if isinstance(part, Thinking | RedactedThinking)]
    shown: Delta = {}
    text = "".join(part.text for part in thoughts if isinstance(part, Thinking))
    if text:
        shown["reasoning_content"] = text
    if any(isinstance(part, RedactedThinking) or part.signature for part in thoughts):
        shown["thinking_blocks"] = [thinking_block(part) for part in thoughts]
    return shown


def thinking_block(part: Thinking | RedactedThinking) -> dict[str, str]:
    if isinstance(part, RedactedThinking):
        return {"type": "redacted_thinking", "data": part.encoded}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def call_object(call: ToolCall) -> dict[str, object]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    } | signature_object(call.signature)


def signature_object(signature: str) -> dict[str, object]:
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}


class ChatRenderer(Chunks):
    """One stream."""

    def __init__(self, request: ChatRequest) -> None:
        super().__init__(FRAME, request)
        self._legacy = asks_for_functions(request)
        self._begun: set[int] = set()
        self._refused: set[int] = set()
        self._thoughts: dict[int, list[str]] = {}
        self._writers = {
            TextDelta: self._text,
            ThinkingDelta: self._thinking,
            ThinkingRedacted: self._redacted,
            RefusalDelta: self._refusal,
            ToolCallStarted: self._call,
            ToolCallDelta: self._arguments,
            Finished: self._finish,
        }

    def _text(self, event: TextDelta) -> bytes:
        return self._chunk(event.choice, b'{"content":' + ENCODE(event.text) + b"}", event.logprobs)

    def _thinking(self, event: ThinkingDelta) -> bytes:
        """A block is sent once it is signed, and whole: only then can the caller send it back."""
        delta: Delta = {}
        thought = self._thoughts.setdefault(event.choice, [])
        if event.text:
            thought.append(event.text)
            delta["reasoning_content"] = event.text
        if event.signature:
            delta["thinking_blocks"] = [thinking_block(Thinking(text="".join(thought), signature=event.signature))]
            thought.clear()
        return self._chunk(event.choice, ENCODE(delta)) if delta else b""

    def _redacted(self, event: ThinkingRedacted) -> bytes:
        block = thinking_block(RedactedThinking(encoded=event.encoded))
        return self._chunk(event.choice, ENCODE({"thinking_blocks": [block]}))

    def _refusal(self, event: RefusalDelta) -> bytes:
        self._refused.add(event.choice)
        return self._chunk(event.choice, ENCODE({"refusal": event.text}))

    def _call(self, event: ToolCallStarted) -> bytes:
        function = {"name": event.name, "arguments": ""}
        if self._legacy:
            return self._chunk(event.choice, ENCODE({"function_call": function}))
        call = {"index": event.call, "id": event.id, "type": "function", "function": function}
        return self._chunk(event.choice, ENCODE({"tool_calls": [call | signature_object(event.signature)]}))

    def _arguments(self, event: ToolCallDelta) -> bytes:
        arguments = {"arguments": event.arguments}
        if self._legacy:
            return self._chunk(event.choice, ENCODE({"function_call": arguments}))
        return self._chunk(event.choice, ENCODE({"tool_calls": [{"index": event.call, "function": arguments}]}))

    def _finish(self, event: Finished) -> bytes:
        reason = reason_of(event.finish, told=event.choice in self._refused)
        return self._chunk(event.choice, b"{}", None, ENCODE(shown_reason(reason, legacy=self._legacy)))

    def _chunk(self, choice: int, delta: bytes, logprobs: msgspec.Raw | None = None, reason: bytes = b"null") -> bytes:
        """Every choice begins with a chunk that names the role."""
        first = b""
        if choice not in self._begun:
            self._begin(Started())
            self._begun.add(choice)
            first = self._written(choice, b'{"role":"assistant","content":"","refusal":null}', b"null", b"null")
        return first + self._written(choice, delta, b"null" if logprobs is None else bytes(logprobs), reason)

    def _written(self, choice: int, delta: bytes, logprobs: bytes, reason: bytes) -> bytes:
        return b'%b{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}]%b' % (
            self._head, choice, delta, logprobs, reason, self._tail,
        )  # fmt: skip
