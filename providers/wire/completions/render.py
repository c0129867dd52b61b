"""An answer as a legacy completion (platform.openai.com/docs/api-reference/completions/object): text and no more.

What a model thought has no place in it; a refusal is the text.
"""

from itertools import accumulate
from typing import Any

import msgspec

from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
    Finished,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    Used,
)
from providers.wire.openai.words import answer_id, created_at, reason_of, usage_object
from providers.wire.shapes import ChatRequest, Usage

ENCODE = msgspec.json.Encoder().encode
PREFIX = "cmpl-"
DONE = b"data: [DONE]\n\n"
REASONS = {"tool_calls": "stop"}


def render_answer(answer: Answer, request: ChatRequest) -> bytes:
    whole: dict[str, object] = {
        "id": answer_id(PREFIX, answer.id),
        "object": "text_completion",
        "created": created_at(answer.created),
        "model": answer.model or request.model,
        "choices": [choice_object(choice) for choice in answer.choices],
    }
    if answer.usage is not None:
        whole["usage"] = usage_object(answer.usage)
    return ENCODE(whole)


def choice_object(choice: Choice) -> dict[str, object]:
    text = "".join(part.text for part in choice.parts if isinstance(part, Text | Refusal))
    reason = reason_of(choice.finish, told=False)
    return {
        "text": text,
        "index": choice.index,
        "logprobs": legacy_logprobs(choice.logprobs, 0),
        "finish_reason": REASONS.get(reason, reason),
    }


def legacy_logprobs(raw: msgspec.Raw | None, offset: int) -> dict[str, Any] | None:
    """Chat's list of tokens as four lists; `offset` is where in the text the first one stands, in characters."""
    loose = None if raw is None else msgspec.json.decode(raw)
    entries = loose.get("content") if isinstance(loose, dict) else None
    if not isinstance(entries, list):
        return None
    entries = likelihoods(entries)
    tokens = [each["token"] for each in entries]
    return {
        "tokens": tokens,
        "token_logprobs": [each["logprob"] for each in entries],
        "top_logprobs": [
            {other["token"]: other["logprob"] for other in likelihoods(each.get("top_logprobs"))} for each in entries
        ],
        "text_offset": list(accumulate((len(token) for token in tokens[:-1]), initial=offset)) if tokens else [],
    }


def likelihoods(loose: Any) -> list[dict[str, Any]]:
    """The entries that name a token and its log probability."""
    found = [each for each in (loose if isinstance(loose, list) else ()) if isinstance(each, dict)]
    return [
        each for each in found if isinstance(each.get("token"), str) and isinstance(each.get("logprob"), int | float)
    ]


class CompletionsRenderer:
    """One stream."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._tail = b',"usage":null}\n\n' if request.include_usage else b"}\n\n"
        self._head = b""
        self._usage: Usage | None = None
        self._offsets: dict[int, int] = {}
        self._over = False

    def render(self, events: list[Event]) -> bytes:
        return b"".join([self._event(event) for event in events])

    def end(self) -> bytes:
        if self._over:
            return b""
        self._over = True
        if self._usage is None or not self._request.include_usage:
            return DONE
        self._begin(Started())
        return self._head + b'],"usage":' + ENCODE(usage_object(self._usage)) + b"}\n\n" + DONE

    def _event(self, event: Event) -> bytes:
        if self._over:
            return b""
        match event:
            case Started():
                self._begin(event)
            case TextDelta():
                return self._text(event.choice, event.text, event.logprobs)
            case RefusalDelta():
                return self._text(event.choice, event.text, None)
            case Finished():
                reason = reason_of(event.finish, told=False)
                return self._chunk(event.choice, "", None, REASONS.get(reason, reason))
            case Used():
                self._usage = event.usage
            case Ended():
                return self.end()
        return b""

    def _begin(self, started: Started) -> None:
        if not self._head:
            head = {
                "id": answer_id(PREFIX, started.id),
                "object": "text_completion",
                "created": created_at(started.created),
                "model": started.model or self._request.model,
            }
            self._head = b"data: " + ENCODE(head)[:-1] + b',"choices":['

    def _text(self, choice: int, text: str, logprobs: msgspec.Raw | None) -> bytes:
        offset = self._offsets.get(choice, 0)
        self._offsets[choice] = offset + len(text)
        return self._chunk(choice, text, legacy_logprobs(logprobs, offset), None)

    def _chunk(self, choice: int, text: str, logprobs: dict[str, Any] | None, reason: str | None) -> bytes:
        self._begin(Started())
        told = {"text": text, "index": choice, "logprobs": logprobs, "finish_reason": reason}
        return self._head + ENCODE(told) + b"]" + self._tail
