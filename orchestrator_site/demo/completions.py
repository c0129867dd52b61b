"""An answer in OpenAI's words: one `chat.completion`, or the events of a stream.

Source: platform.openai.com/docs/api-reference/chat, "the chat completion object" and "chunk object".
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from orchestrator_site.demo import tokens
from orchestrator_site.demo.answers import Answer, ToolCall

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """What every event of one completion repeats."""

    id: str
    created: int
    model: str

    @classmethod
    def new(cls, model: str) -> "Head":
        return cls(f"chatcmpl-demo-{secrets.token_hex(12)}", int(time.time()), model)

    def fields(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": "fp_demo",
        }


def completion(body: dict[str, Any], answer: Answer) -> Event:
    """The answer at once; every one of `n` choices is the same."""
    choices = [
        {"index": index, "message": message(answer), "logprobs": None, "finish_reason": answer.finish_reason}
        for index in range(body.get("n") or 1)
    ]
    return {
        **Head.new(body["model"]).fields("chat.completion"),
        "choices": choices,
        "usage": usage(body, answer),
    }


def message(answer: Answer) -> Event:
    plain: Event = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
    if not answer.tool_calls:
        return plain
    return {**plain, "content": None, "tool_calls": [{"id": call_id(), **function(call)} for call in answer.tool_calls]}


def function(call: ToolCall, arguments: str | None = None) -> Event:
    shown = call.arguments if arguments is None else arguments
    return {"type": "function", "function": {"name": call.name, "arguments": shown}}


def call_id() -> str:
    return f"call_{secrets.token_hex(12)}"


def usage(body: dict[str, Any], answer: Answer) -> Event:
    sent, made = tokens.count_prompt(body), answer.tokens * (body.get("n") or 1)
    return {
        "prompt_tokens": sent,
        "completion_tokens": made,
        "total_tokens": sent + made,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def events(body: dict[str, Any], answer: Answer) -> Iterator[Event]:
    """A stream's events; with `include_usage` a last one has no choices and the usage, which is null before."""
    head = Head.new(body["model"]).fields("chat.completion.chunk")
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    nothing_yet = {"usage": None} if wants_usage else {}
    every_choice = [choice_deltas(index, answer) for index in range(body.get("n") or 1)]
    for together in zip_longest(*every_choice):
        for choice in together:
            yield {**head, "choices": [choice], **nothing_yet}
    if wants_usage:
        yield {**head, "choices": [], "usage": usage(body, answer)}


def choice_deltas(index: int, answer: Answer) -> Iterator[Event]:
    for delta in deltas(answer):
        yield {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
    yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": answer.finish_reason}


def deltas(answer: Answer) -> Iterator[Event]:
    opening: Event = {"role": "assistant", "content": None if answer.tool_calls else "", "refusal": None}
    yield opening
    for place, call in enumerate(answer.tool_calls):
        yield {"tool_calls": [{"index": place, "id": call_id(), **function(call, "")}]}
        for piece in tokens.words(call.arguments):
            yield {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}
    for piece in tokens.words(answer.text):
        yield {"content": piece}
