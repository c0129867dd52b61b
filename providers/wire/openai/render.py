"""An answer as a chat completion, whole or in chunks (platform.openai.com/docs/api-reference/chat-streaming).

Thinking is in `reasoning_content`, and where it carries a signature in `thinking_blocks` too, so that a caller can
send it back with the next turn (docs.litellm.ai/docs/reasoning_content). A signature of a call is in `extra_content`
(ai.google.dev/gemini-api/docs/openai).
"""

from collections.abc import Callable, Mapping

import msgspec

from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
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
    Used,
)
from providers.wire.openai.words import answer_id, created_at, reason_of, usage_object
from providers.wire.shapes import ChatRequest, Usage

ENCODE = msgspec.json.Encoder().encode
PREFIX = "chatcmpl-"
DONE = b"data: [DONE]\n\n"
Delta = dict[str, object]


def render_answer(answer: Answer, request: ChatRequest) -> bytes:
    legacy = asks_for_functions(request)
    whole: dict[str, object] = {
        "id": answer_id(PREFIX, answer.id),
        "object": "chat.completion",
        "created": created_at(answer.created),
        "model": answer.model or request.model,
        "choices": [choice_object(choice, legacy=legacy) for choice in answer.choices],
    }
    if answer.usage is not None:
        whole["usage"] = usage_object(answer.usage)
    return ENCODE(whole)


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


class ChatRenderer:
    """One stream."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._legacy = asks_for_functions(request)
        self._tail = b',"usage":null}\n\n' if request.include_usage else b"}\n\n"
        self._head = b""
        self._begun: set[int] = set()
        self._refused: set[int] = set()
        self._thoughts: dict[int, list[str]] = {}
        self._usage: Usage | None = None
        self._over = False
        self._writers: Mapping[type, Callable[..., bytes]] = {
            TextDelta: self._text,
            ThinkingDelta: self._thinking,
            ThinkingRedacted: self._redacted,
            RefusalDelta: self._refusal,
            ToolCallStarted: self._call,
            ToolCallDelta: self._arguments,
            Finished: self._finish,
        }

    def render(self, events: list[Event]) -> bytes:
        return b"".join([self._event(event) for event in events])

    def end(self) -> bytes:
        if self._over:
            return b""
        self._over = True
        if self._usage is None or not self._request.include_usage:
            return DONE
        usage = ENCODE(usage_object(self._usage))
        return self._begin(Started()) + self._head + b'],"usage":' + usage + b"}\n\n" + DONE

    def _event(self, event: Event) -> bytes:
        if self._over:
            return b""
        writer = self._writers.get(type(event))
        if writer is not None:
            return writer(event)
        match event:
            case Started():
                return self._begin(event)
            case Used():
                self._usage = event.usage
            case Ended():
                return self.end()
        return b""

    def _begin(self, started: Started) -> bytes:
        """What every chunk begins with is settled by the first event."""
        if not self._head:
            head = {
                "id": answer_id(PREFIX, started.id),
                "object": "chat.completion.chunk",
                "created": created_at(started.created),
                "model": started.model or self._request.model,
            }
            self._head = b"data: " + ENCODE(head)[:-1] + b',"choices":['
        return b""

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
