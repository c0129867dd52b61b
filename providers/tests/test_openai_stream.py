import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UpstreamGarbled, UpstreamRefused
from providers.tests.recordings import OPENAI
from providers.tests.wire_streams import fed, told
from providers.wire.openai.response import parse_response
from providers.wire.openai.stream import OpenAIStream
from providers.wire.shapes import Chunk, Usage

# Streams in which parts of an answer take turns.
MIXED = ("openai_two_choices", "mixed_parallel_calls")


def choices_of(name: str) -> int:
    return len(json.loads(OPENAI.whole(name))["choices"])


def chunks_of(wire_bytes: bytes, cuts=(), choices=1, limit=1 << 24) -> list[Chunk]:
    return fed(OpenAIStream(choices, limit), wire_bytes, cuts)


@pytest.mark.parametrize("name", OPENAI.names)
def test_a_stream_says_what_the_whole_answer_says(name):
    chunks = chunks_of(OPENAI.streamed(name), choices=choices_of(name))
    answer = parse_response(OPENAI.whole(name))

    assert not [chunk.error for chunk in chunks if chunk.error]
    text = "".join(chunk.text for chunk in chunks)
    in_order = list if name not in MIXED else sorted
    assert in_order(text) == in_order(answer.text)
    assert answer.text
    assert next(c.finish_reason for c in chunks if c.finish_reason) == answer.finish_reason
    assert [c.usage for c in chunks if c.usage][-1] == answer.usage
    assert {c.model for c in chunks if c.model} == {answer.model}
    assert chunks[-1].done
    assert chunks[-1].finished


@pytest.mark.parametrize("name", OPENAI.names)
def test_joining_what_came_gives_the_bytes_back(name):
    assert b"".join(chunk.raw for chunk in chunks_of(OPENAI.streamed(name))) == OPENAI.streamed(name)


@pytest.mark.parametrize("name", OPENAI.names)
def test_one_byte_at_a_time_changes_nothing(name):
    wire_bytes = OPENAI.streamed(name)
    assert told(chunks_of(wire_bytes, range(1, len(wire_bytes)))) == told(chunks_of(wire_bytes))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(OPENAI.names), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 6000), max_size=12)
)
def test_cuts_anywhere_and_every_newline_change_nothing(name, newline, cuts):
    wire_bytes = OPENAI.streamed(name).replace(b"\r\n", b"\n").replace(b"\n", newline)
    assert told(chunks_of(wire_bytes, [cut for cut in cuts if cut < len(wire_bytes)])) == told(chunks_of(wire_bytes))
    reference = chunks_of(OPENAI.streamed(name))
    assert [c.text for c in chunks_of(wire_bytes) if c.text] == [c.text for c in reference if c.text]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="d:\r\n []{}\"'éa", max_size=60), st.lists(st.integers(1, 90), max_size=6))
def test_cuts_change_nothing_in_odd_bytes_either(text, cuts):
    wire_bytes = text.encode()
    assert told(chunks_of(wire_bytes, [cut for cut in cuts if cut < len(wire_bytes)])) == told(chunks_of(wire_bytes))
    assert b"".join(chunk.raw for chunk in chunks_of(wire_bytes)) == wire_bytes


def test_only_the_event_that_carries_nothing_but_usage_is_usage_only():
    chunks = chunks_of(OPENAI.streamed("openai_text"))
    assert [c.usage for c in chunks if c.usage_only] == [
        Usage(input_tokens=1312, output_tokens=14, cache_read_tokens=1024)
    ]
    mistral = chunks_of(OPENAI.streamed("mistral_text"))
    assert not any(c.usage_only for c in mistral)
    assert [(c.usage is not None, c.text) for c in mistral if c.usage] == [(True, ".")]


def test_every_part_of_the_usage_is_read():
    assert [c.usage for c in chunks_of(OPENAI.streamed("openai_reasoning_audio")) if c.usage] == [
        Usage(
            input_tokens=140,
            output_tokens=260,
            reasoning_tokens=192,
            input_audio_tokens=40,
            output_audio_tokens=32,
        )
    ]


def test_finished_waits_for_every_choice():
    chunks = chunks_of(OPENAI.streamed("openai_two_choices"), choices=2)
    first = next(i for i, c in enumerate(chunks) if c.finish_reason == "stop")
    assert not chunks[first].finished
    assert next(c for c in chunks if c.finished).finish_reason == "length"


@pytest.mark.parametrize("content", ['"so"', '["so"]'])
@pytest.mark.parametrize("reason", ["", "null"])
def test_an_empty_reason_to_finish_is_none(reason, content):
    """With content in a list the event is read without types."""
    event = '{"choices":[{"index":0,"delta":{"content":%s},"finish_reason":"%s"}]}'
    chunks = chunks_of(b"data: " + (event % (content, reason)).encode() + b"\n\ndata: [DONE]\n\n")
    assert [(c.text, c.finish_reason, c.finished) for c in chunks] == [("so", None, False), ("", None, False)]
    ended = chunks_of(b"data: " + (event % (content, "stop")).encode() + b"\n\n")
    assert (ended[0].finish_reason, ended[0].finished) == ("stop", True)


def test_content_nested_too_deeply_is_garbled():
    deep = b"[" * 700 + b"]" * 700
    [chunk] = chunks_of(b'data: {"choices":[{"delta":{"content":' + deep + b"}}]}\n\n")
    assert isinstance(chunk.error, UpstreamGarbled)


def test_parts_of_usage_never_exceed_their_totals():
    event = (
        b'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":-4,"prompt_tokens_details":'
        b'{"cached_tokens":8,"audio_tokens":99},"completion_tokens_details":{"reasoning_tokens":7}}}\n\n'
    )
    assert chunks_of(event)[0].usage == Usage(input_tokens=10, cache_read_tokens=8, input_audio_tokens=2)


def test_a_stream_cut_in_the_middle_of_an_event_is_garbled_not_complete():
    wire_bytes = OPENAI.streamed("openai_text")
    cut = wire_bytes[: wire_bytes.index(b"finish_reason") + 5]
    chunks = chunks_of(cut)
    assert isinstance(chunks[-1].error, UpstreamGarbled)
    assert not any(chunk.done or chunk.finished for chunk in chunks)


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (b'data: {"error":{"message":"The server had an error","type":"server_error"}}', 502, "upstream_error"),
        (b'event: error\ndata: {"message":"overloaded","code":503}', 503, "upstream_unavailable"),
        (b'data: {"object":"error","error":{"message":"slow down","code":429}}', 429, "rate_limit_exceeded"),
        (
            b'data: {"error":{"message":"maximum context length is 4096","type":"BadRequestError","code":400}}',
            400,
            "context_length_exceeded",
        ),
        (b'data: {"error":{"message":"filtered","code":"content_filter"},"choices":[]}', 400, "content_filter"),
        (b'data: {"error":"oops sk-secretsecret"}', 502, "upstream_error"),
    ],
)
def test_an_error_inside_a_stream_is_an_error(event, status, code):
    [chunk] = chunks_of(event + b"\n\n")
    assert isinstance(chunk.error, UpstreamRefused)
    assert (chunk.error.status, chunk.error.code) == (status, code)
    assert "secretsecret" not in chunk.error.message


@pytest.mark.parametrize("junk", [b"data: {\n\n", b"data: 5\n\n", b"data: <html>\n\n", b'data: {"choices":\xff}\n\n'])
def test_garbage_is_an_error_and_the_stream_goes_on(junk):
    chunks = chunks_of(junk + OPENAI.streamed("mistral_text"))
    assert isinstance(chunks[0].error, UpstreamGarbled)
    assert chunks[-1].done


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_event_over_the_limit_ends_the_stream(step):
    wire_bytes = b'data: {"choices":[{"delta":{"content":"' + b"x" * 300 + b'"}}]}\n\n' + OPENAI.streamed("openai_text")
    chunks = chunks_of(wire_bytes, range(step, len(wire_bytes), step), limit=200)
    assert len(chunks) == 1
    assert isinstance(chunks[0].error, UpstreamGarbled)


def test_an_endless_event_is_not_kept_in_memory():
    stream = OpenAIStream(1, limit=10_000)
    found = [chunk for _ in range(1000) for chunk in stream.feed(b"x" * 1000)]
    assert len(found) == 1
    assert stream.close() == []


def test_twenty_thousand_broken_streams_raise_nothing():
    chance = random.Random(20261121)
    recordings = [OPENAI.streamed(name) for name in OPENAI.names]
    for _ in range(20_000):
        wire_bytes = bytearray(chance.choice(recordings)[: chance.randrange(1, 1500)])
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(wire_bytes))
            wire_bytes[place : place + chance.randrange(3)] = bytes(chance.choices(b'\x00\xff"{}[]:,\\\r\n0e-ntf', k=2))
            if not wire_bytes:
                wire_bytes = bytearray(b"{")
        told(chunks_of(bytes(wire_bytes), [len(wire_bytes) // 2], choices=chance.choice([1, 2])))
