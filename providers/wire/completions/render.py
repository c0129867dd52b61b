"""An answer as a legacy completion (platform.openai.com/docs/api-reference/completions/object): text and no more.

What a model thought has no place in it; a refusal is the text.
"""

from itertools import accumulate
from typing import Any

import msgspec

from providers.wire.neutral import (
    Answer,
    Choice,
    Finished,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
)
from providers.wire.openai.frames import ENCODE, Chunks, Frame
from providers.wire.openai.words import reason_of
from providers.wire.shapes import ChatRequest

FRAME = Frame(prefix="cmpl-", whole="text_completion", chunk="text_completion")
REASONS = {"tool_calls": "stop"}


def render_answer(answer: Answer, request: ChatRequest) -> bytes:
    return FRAME.answer(answer, request, [choice_object(choice) for choice in answer.choices])


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


class CompletionsRenderer(Chunks):
    """One stream."""

    def __init__(self, request: ChatRequest) -> None:
        super().__init__(FRAME, request)
        self._offsets: dict[int, int] = {}
        self._writers = {TextDelta: self._said, RefusalDelta: self._refused, Finished: self._finish}

    def _said(self, event: TextDelta) -> bytes:
        return self._text(event.choice, event.text, event.logprobs)

    def _refused(self, event: RefusalDelta) -> bytes:
        return self._text(event.choice, event.text, None)

    def _finish(self, event: Finished) -> bytes:
        reason = reason_of(event.finish, told=False)
        return self._chunk(event.choice, "", None, REASONS.get(reason, reason))

    def _text(self, choice: int, text: str, logprobs: msgspec.Raw | None) -> bytes:
        offset = self._offsets.get(choice, 0)
        self._offsets[choice] = offset + len(text)
        return self._chunk(choice, text, legacy_logprobs(logprobs, offset), None)

    def _chunk(self, choice: int, text: str, logprobs: dict[str, Any] | None, reason: str | None) -> bytes:
        self._begin(Started())
        told = {"text": text, "index": choice, "logprobs": logprobs, "finish_reason": reason}
        return self._head + ENCODE(told) + b"]" + self._tail
