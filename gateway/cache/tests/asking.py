"""Requests, targets and vendors' answers for these tests."""

import json

import msgspec

from common.ids import new_id
from gateway.cache.heard import Heard
from gateway.cache.question import Question
from providers.route_policy import CacheRule
from providers.tests.test_translated import ASKED, target
from providers.wire.registry import SPEECHES
from providers.wire.shapes import Usage

USED = Usage(input_tokens=7, output_tokens=3)


def asked(dialect="chat", **fields):
    usual = {"model": "m", "input": "Hi"} if dialect == "responses" else ASKED[dialect]
    return SPEECHES[dialect].parse_request(json.dumps({**usual, **fields}).encode())


def cut(received: bytes, size: int = 97) -> list[bytes]:
    return [received[start : start + size] for start in range(0, len(received), size)]


def heard(request, received: bytes, *, wire="openai", streamed=False, **more) -> Heard:
    return Heard(
        request=request,
        target=target(wire),
        pieces=cut(received),
        streamed=streamed,
        usage=USED,
        cost_nano=11,
        charge_nano=12,
        **more,
    )


def question(**rule) -> Question:
    return Question(new_id(), new_id().bytes * 2, CacheRule(**rule), asked())


def completion(text="Hello", reason="stop", **changed) -> bytes:
    """A chat completion as a vendor sends it; `changed` are fields of the message."""
    message = {"role": "assistant", "content": text, "refusal": None, "annotations": [], **changed}
    return json.dumps(
        {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 5, "model": "gpt-4o-2024",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
            "system_fingerprint": "fp", "service_tier": "default",
        }
    ).encode()  # fmt: skip


def words(raw):
    return msgspec.json.decode(raw)["choices"][0]["message"]["content"]
