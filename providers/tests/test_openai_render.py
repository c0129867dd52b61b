import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from common.errors import UpstreamTimeout
from providers.tests.wire_streams import fed
from providers.wire.assembly import answer_of, events_of
from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
    Finished,
    Part,
    RedactedThinking,
    Refusal,
    Text,
    TextDelta,
    Thinking,
    ToolCall,
)
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.events import OpenAIEvents
from providers.wire.openai.speech import ChatSpeech
from providers.wire.shapes import ChatRequest, Usage
from providers.wire.sse import Flat

SPEECH = ChatSpeech()
USAGE = Usage(
    input_tokens=50,
    output_tokens=20,
    cache_read_tokens=10,
    cache_write_tokens=5,
    reasoning_tokens=8,
    input_audio_tokens=3,
    output_audio_tokens=2,
)
CALL = ToolCall(id="c1", name="f", arguments='{"a":1}')


def asked(**fields) -> ChatRequest:
    body = {"model": "alias", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return SPEECH.parse_request(json.dumps(body).encode())


def answer(*parts: Part, **fields) -> Answer:
    choice = Choice(parts=parts, finish=fields.pop("finish", "stop"), logprobs=fields.pop("logprobs", None))
    return Answer(choices=(choice,), **{"id": "m1", "model": "vendor-1", "usage": USAGE, "created": 7, **fields})


def whole(given: Answer, **fields) -> dict[str, Any]:
    body = SPEECH.render_answer(given, asked(**fields))
    ChatCompletion.model_validate_json(body, strict=True)
    loose: dict[str, Any] = json.loads(body)
    return loose


def streamed(events: list[Event], **fields) -> bytes:
    renderer = SPEECH.renderer(asked(stream=True, **fields))
    return b"".join(renderer.render([event]) for event in events) + renderer.end()


def chunks_in(wire_bytes: bytes) -> list[dict[str, Any]]:
    *events, done, rest = wire_bytes.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    for event in events:
        ChatCompletionChunk.model_validate_json(event[6:], strict=True)
    return [json.loads(event.removeprefix(b"data: ")) for event in events]


def test_a_whole_answer_has_openais_shape():
    assert whole(answer(Text(text="Yes"))) == {
        "id": "chatcmpl-m1",
        "object": "chat.completion",
        "created": 7,
        "model": "vendor-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Yes", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 50,
            "completion_tokens": 20,
            "total_tokens": 70,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5, "audio_tokens": 3},
            "completion_tokens_details": {
                "reasoning_tokens": 8,
                "audio_tokens": 2,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
    }


def test_what_the_provider_left_out_is_made_up_for():
    told = whole(Answer(choices=(Choice(parts=(), finish="stop"),)))
    assert told["id"].startswith("chatcmpl-")
    assert len(told["id"]) > 20
    assert told["created"] > 1_700_000_000
    assert told["model"] == "alias"
    assert "usage" not in told


def test_calls_thoughts_and_signatures_are_told():
    signed = ToolCall(id="c2", name="g", arguments="", signature="sig")
    parts = (Thinking(text="hm", signature="s"), RedactedThinking(encoded="x"), Text(text="a"), CALL, signed)
    message = whole(answer(*parts, finish="tool_calls"))["choices"][0]["message"]
    assert message == {
        "role": "assistant",
        "content": "a",
        "refusal": None,
        "reasoning_content": "hm",
        "thinking_blocks": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "x"},
        ],
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
            {
                "id": "c2",
                "type": "function",
                "function": {"name": "g", "arguments": ""},
                "extra_content": {"google": {"thought_signature": "sig"}},
            },
        ],
    }


def test_what_was_told_can_be_asked_again():
    """A thought that its vendor signed has to come back with the next turn."""
    parts = (Thinking(text="hm", signature="s"), Text(text="a"), CALL)
    message = whole(answer(*parts, finish="tool_calls"))["choices"][0]["message"]
    assert SPEECH.prompt_of(asked(messages=[message])).messages[0].parts == parts


@pytest.mark.parametrize(
    ("finish", "parts", "reason"),
    [
        ("stop_sequence", (), "stop"),
        ("length", (), "length"),
        ("pause", (), "stop"),
        ("content_filter", (), "content_filter"),
        ("refusal", (Refusal(text="no"),), "stop"),
        ("refusal", (), "content_filter"),
    ],
)
def test_every_end_is_told_whole_and_streamed(finish, parts, reason):
    given = answer(*parts, finish=finish)
    assert whole(given)["choices"][0]["finish_reason"] == reason
    assert chunks_in(streamed(list(events_of(given))))[-1]["choices"][0]["finish_reason"] == reason


def test_a_stream_has_openais_shape():
    chunks = chunks_in(streamed(list(events_of(answer(Text(text="Yes"), CALL, finish="tool_calls")))))
    assert {(c["id"], c["object"], c["created"], c["model"]) for c in chunks} == {
        ("chatcmpl-m1", "chat.completion.chunk", 7, "vendor-1")
    }
    assert not any("usage" in c for c in chunks)
    assert [(c["choices"][0]["delta"], c["choices"][0]["finish_reason"]) for c in chunks] == [
        ({"role": "assistant", "content": "", "refusal": None}, None),
        ({"content": "Yes"}, None),
        (
            {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
            None,
        ),
        ({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]}, None),
        ({}, "tool_calls"),
    ]


def test_usage_is_told_to_who_asked_for_it():
    chunks = chunks_in(streamed(list(events_of(answer(Text(text="a")))), stream_options={"include_usage": True}))
    assert [c["usage"] for c in chunks[:-1]] == [None, None, None]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 70)


def test_the_end_is_written_once():
    renderer = SPEECH.renderer(asked(stream=True))
    assert renderer.render([TextDelta(text="a"), Finished(finish="stop")]).count(b"[DONE]") == 0
    assert renderer.end() == b"data: [DONE]\n\n"
    assert renderer.end() == renderer.render([Ended(), TextDelta(text="b")]) == b""


def test_who_asked_for_functions_gets_a_function_call():
    given = answer(CALL, finish="tool_calls")
    choice = whole(given, functions=[{"name": "f"}])["choices"][0]
    function = {"name": "f", "arguments": '{"a":1}'}
    assert (choice["message"]["function_call"], choice["finish_reason"]) == (function, "function_call")
    assert "tool_calls" not in choice["message"]
    chunks = chunks_in(streamed(list(events_of(given)), functions=[{"name": "f"}]))
    assert [c["choices"][0]["delta"].get("function_call") for c in chunks[1:]] == [
        {"name": "f", "arguments": ""},
        {"arguments": '{"a":1}'},
        None,
    ]


some_text = st.text(min_size=1, max_size=20)
some_calls = st.builds(
    ToolCall, id=some_text, name=some_text, arguments=some_text, signature=st.sampled_from(["", "s"])
)
LOGPROBS = msgspec.Raw(b'{"content":[{"token":"a","logprob":-0.5,"bytes":null,"top_logprobs":[]}]}')


@st.composite
def answers(draw):
    choices = []
    for index in range(draw(st.integers(1, 3))):
        thought = draw(st.lists(st.builds(Thinking, text=some_text), max_size=1))
        text = draw(st.lists(st.builds(Text, text=some_text), max_size=1))
        calls = draw(st.lists(some_calls, max_size=3))
        plain = draw(st.sampled_from(["stop", "length", "content_filter"]))
        choices.append(
            Choice(
                index=index,
                parts=(*thought, *text, *calls),
                finish="tool_calls" if calls else plain,
                logprobs=draw(st.sampled_from([None, LOGPROBS])) if text else None,
            )
        )
    return Answer(choices=tuple(choices), id="chatcmpl-1", model="v", usage=USAGE, created=7)


@settings(max_examples=150, deadline=None)
@given(answers(), st.lists(st.integers(0, 3000), max_size=6))
def test_what_is_told_is_what_was_answered_whole_and_streamed(given, cuts):
    """This dialect read by the wire of the same format."""
    text = msgspec.json.encode(given)
    assert msgspec.json.encode(OpenAIWire().read_answer(SPEECH.render_answer(given, asked()))) == text
    wire_bytes = streamed(list(events_of(given)), stream_options={"include_usage": True})
    assert msgspec.json.encode(answer_of(fed(Flat(OpenAIEvents()), wire_bytes, cuts))) == text


def test_an_error_is_told_as_openai_tells_it():
    error = UpstreamTimeout("Too late.")
    told = {"error": {"message": "Too late.", "type": "upstream_error", "param": None, "code": "upstream_timeout"}}
    assert json.loads(SPEECH.error_body(error)) == told
    assert SPEECH.error_event(error) == b"data: " + SPEECH.error_body(error) + b"\n\n"
