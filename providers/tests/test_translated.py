"""A dialect on a foreign wire, as the gateway sees it: chunks in the caller's words, metered as any others."""

import json
from itertools import product
from typing import Any

import pytest

from common.errors import InvalidRequest
from providers.wire.openai.tasks import parse_task_request
from providers.wire.registry import SPEECHES, spoken
from providers.wire.shapes import Target, Usage

ASKED: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "completions": {"model": "m", "prompt": "Hi"},
    "messages": {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]},
}
WIRES = ("anthropic", "gemini", "ollama")
PAIRS = [pair for pair in product(ASKED, WIRES) if pair != ("messages", "anthropic")]
WHOLE = {
    "anthropic": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello"}], "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "gemini": {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2},
    },
    "ollama": {
        "model": "llama", "message": {"role": "assistant", "content": "Hello"}, "done": True, "done_reason": "stop",
        "prompt_eval_count": 3, "eval_count": 2,
    },
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 3}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
STREAMED = {
    "anthropic": [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in EVENTS],
    "gemini": [f"data: {json.dumps(WHOLE['gemini'])}\n\n".encode()],
    "ollama": [f"{json.dumps(WHOLE['ollama'])}\n".encode()],
}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
BROKEN = {
    "anthropic": f"event: error\ndata: {json.dumps(OVERLOADED)}\n\n".encode(),
    "gemini": b'data: {"error":{"code":503,"status":"UNAVAILABLE","message":"overloaded"}}\n\n',
    "ollama": b'{"error":"out of memory"}\n',
}
CLOSINGS = {"chat": b"data: [DONE]\n\n", "completions": b"data: [DONE]\n\n", "messages": b'"message_stop"}\n\n'}


def target(wire):
    return Target(
        provider="p", provider_scope="tenant", wire=wire, base_url="http://h", model="m", headers=(), price=None
    )


def asked(dialect, *, stream):
    return SPEECHES[dialect].parse_request(json.dumps({**ASKED[dialect], "stream": stream}).encode())


@pytest.mark.parametrize(("dialect", "wire"), PAIRS)
def test_a_whole_answer_is_metered_and_in_the_callers_words(dialect, wire):
    request = asked(dialect, stream=False)
    adapter = spoken(request, target(wire))
    assert json.loads(adapter.build_request(request, target(wire)).body)
    chunk = adapter.parse_response(json.dumps(WHOLE[wire]).encode(), dialect)
    assert b"Hello" in chunk.raw
    assert json.loads(chunk.raw)["usage"]
    assert (chunk.text, chunk.usage) == ("Hello", Usage(input_tokens=3, output_tokens=2))
    assert chunk.finished
    assert chunk.done


@pytest.mark.parametrize(("dialect", "wire"), PAIRS)
def test_a_stream_ends_once_in_the_callers_way(dialect, wire):
    request = asked(dialect, stream=True)
    parser = spoken(request, target(wire)).parse_stream(request)
    chunks = [chunk for piece in STREAMED[wire] for chunk in parser.feed(piece)]
    chunks += parser.close()
    written = b"".join(chunk.raw for chunk in chunks)
    assert written.count(CLOSINGS[dialect]) == 1
    assert written.endswith(CLOSINGS[dialect])
    assert "".join(chunk.text for chunk in chunks) == "Hello"
    assert [chunk.done for chunk in chunks].count(True) == 1
    assert chunks[-1].done
    assert chunks[-1].finished
    usage = [chunk.usage for chunk in chunks if chunk.usage and chunk.finished][-1]
    assert (usage.input_tokens, usage.output_tokens) == (3, 2)
    assert parser.feed(b"more") == parser.close() == []


@pytest.mark.parametrize(("dialect", "wire"), PAIRS)
def test_a_stream_that_breaks_off_is_no_end(dialect, wire):
    request = asked(dialect, stream=True)
    parser = spoken(request, target(wire)).parse_stream(request)
    chunks = parser.feed(b"".join(STREAMED["anthropic"][:3]) if wire == "anthropic" else b"")
    chunks += parser.feed(BROKEN[wire])
    assert chunks[-1].error is not None
    assert not any(chunk.done for chunk in chunks)
    assert parser.close() == []


@pytest.mark.parametrize(("dialect", "wire"), PAIRS)
def test_a_provider_that_hangs_up_in_the_middle_has_not_ended_it(dialect, wire):
    request = asked(dialect, stream=True)
    parser = spoken(request, target(wire)).parse_stream(request)
    for piece in STREAMED[wire][:3] if wire == "anthropic" else [STREAMED[wire][0][:-20]]:
        parser.feed(piece)
    left = parser.close()
    assert not any(chunk.done or chunk.finished for chunk in left)


def test_what_nobody_translates_is_refused_by_the_models_name():
    request = SPEECHES["chat"].parse_request(json.dumps(ASKED["chat"]).encode())
    with pytest.raises(LookupError):
        spoken(request, target("morse"))
    drawing = parse_task_request(b'{"model": "m", "prompt": "x"}', "images")
    with pytest.raises(InvalidRequest) as refusal:
        spoken(drawing, target("gemini"))
    assert refusal.value.code == "unsupported_endpoint"


@pytest.mark.parametrize("wire", ["gemini", "ollama"])
def test_what_clients_send_unasked_is_left_out_and_told(wire):
    """Anthropic's own tools name their user with every request."""
    body = {**ASKED["messages"], "metadata": {"user_id": "u"}}
    request = SPEECHES["messages"].parse_request(json.dumps(body).encode())
    sent = spoken(request, target(wire)).build_request(request, target(wire))
    assert sent.dropped == ("metadata.user_id",)
    assert b"user_id" not in sent.body


@pytest.mark.parametrize("cut", [1, 3, 200, 100_000])
def test_usage_from_before_the_end_is_not_taken_for_all_of_it_however_the_bytes_are_cut(cut):
    """As of servers that count the prompt at the beginning, and nothing at the end."""
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    sent = b"".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in events)
    request = asked("chat", stream=True)
    parser = spoken(request, target("anthropic")).parse_stream(request)
    chunks = [chunk for start in range(0, len(sent), cut) for chunk in parser.feed(sent[start : start + cut])]
    counted = [chunk for chunk in chunks if chunk.usage]
    assert [chunk.usage for chunk in counted] == [Usage(input_tokens=3, output_tokens=1)]
    assert not any(chunk.finished for chunk in counted)
    assert chunks[-1].finished
    assert "".join(chunk.text for chunk in chunks) == "Hello"
