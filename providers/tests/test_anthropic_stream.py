import json
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UpstreamError, UpstreamGarbled
from providers.tests.recordings import ANTHROPIC
from providers.tests.wire_streams import assembled, broken, fed, told
from providers.wire.anthropic.adapter import AnthropicWire
from providers.wire.anthropic.answer import parse_response
from providers.wire.anthropic.stream import AnthropicEvents, AnthropicStream
from providers.wire.neutral import (
    Ended,
    Event,
    Failed,
    Finished,
    Prompt,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.shapes import Chunk, Usage
from providers.wire.sse import Flat

WIRE = AnthropicWire()
START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"claude","usage":{}}}\n\n'


def chunks_of(wire_bytes: bytes, cuts=(), limit=1 << 24) -> list[Chunk]:
    return fed(AnthropicStream(limit), wire_bytes, cuts)


def events_of(wire_bytes: bytes, cuts=(), limit=1 << 24) -> list[Event]:
    return fed(Flat(AnthropicEvents(limit)), wire_bytes, cuts)


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


@pytest.mark.parametrize("name", ANTHROPIC.names)
def test_the_events_of_a_stream_say_what_the_whole_answer_says(name):
    assert assembled(events_of(ANTHROPIC.streamed(name))) == WIRE.read_answer(ANTHROPIC.whole(name))


@pytest.mark.parametrize("name", ANTHROPIC.names)
def test_chunks_meter_what_the_whole_answer_meters(name):
    chunks, answer = chunks_of(ANTHROPIC.streamed(name)), parse_response(ANTHROPIC.whole(name))
    assert not [chunk.error for chunk in chunks if chunk.error]
    assert "".join(chunk.text for chunk in chunks).replace("{}", "") == answer.text
    assert [c.usage for c in chunks if c.usage][-1] == answer.usage
    assert [c.finish_reason for c in chunks if c.finish_reason] == [answer.finish_reason]
    assert {c.model for c in chunks if c.model} == {answer.model}
    assert chunks[-1].done
    assert chunks[-1].finished
    assert not any(c.usage_only for c in chunks)


@pytest.mark.parametrize("name", ANTHROPIC.names)
def test_joining_what_came_gives_the_bytes_back(name):
    assert b"".join(chunk.raw for chunk in chunks_of(ANTHROPIC.streamed(name))) == ANTHROPIC.streamed(name)


@pytest.mark.parametrize("name", ANTHROPIC.names)
def test_one_byte_at_a_time_changes_nothing(name):
    wire_bytes = ANTHROPIC.streamed(name)
    cuts = range(1, len(wire_bytes))
    assert told(chunks_of(wire_bytes, cuts)) == told(chunks_of(wire_bytes))
    assert events_of(wire_bytes, cuts) == events_of(wire_bytes)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ANTHROPIC.names),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.lists(st.integers(0, 4000), max_size=12),
)
def test_cuts_anywhere_and_every_newline_change_nothing(name, newline, cuts):
    wire_bytes = ANTHROPIC.streamed(name).replace(b"\n", newline)
    cuts = [cut for cut in cuts if cut < len(wire_bytes)]
    assert told(chunks_of(wire_bytes, cuts)) == told(chunks_of(wire_bytes))
    assert events_of(wire_bytes, cuts) == events_of(ANTHROPIC.streamed(name))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="data:event\r\n []{}\"'é", max_size=60), st.lists(st.integers(1, 90), max_size=6))
def test_cuts_change_nothing_in_odd_bytes_either(text, cuts):
    wire_bytes = text.encode()
    cuts = [cut for cut in cuts if cut < len(wire_bytes)]
    assert told(chunks_of(wire_bytes, cuts)) == told(chunks_of(wire_bytes))
    assert told(events_of(wire_bytes, cuts)) == told(events_of(wire_bytes))
    assert b"".join(chunk.raw for chunk in chunks_of(wire_bytes)) == wire_bytes


def test_a_stream_begins_with_what_is_known_and_ends_with_what_was_used():
    events = events_of(ANTHROPIC.streamed("thinking"))
    assert events[0] == Started(id="msg_01XFDUDYJgAACzvnptvVoYEL", model="claude-opus-4-6")
    assert isinstance(events[1], Used)
    assert (events[1].final, events[1].usage.input_tokens) == (False, 21 + 188_086 + 1024)
    assert events[-3:] == [
        Finished(finish="stop"),
        Used(
            usage=Usage(
                input_tokens=21 + 188_086 + 1024,
                output_tokens=312,
                cache_read_tokens=1024,
                cache_write_tokens=188_086,
                reasoning_tokens=240,
            )
        ),
        Ended(),
    ]


def test_what_the_last_event_leaves_out_was_said_by_the_first():
    first, last = (c.usage for c in chunks_of(ANTHROPIC.streamed("text")) if c.usage)
    assert (first, last) == (
        Usage(input_tokens=25, output_tokens=1),
        Usage(input_tokens=25, output_tokens=15),
    )


def test_usage_that_grew_on_the_way_is_the_later_one():
    assert [c.usage.input_tokens for c in chunks_of(ANTHROPIC.streamed("web_search")) if c.usage] == [6039, 10682]


def test_only_the_end_is_finished():
    chunks = chunks_of(ANTHROPIC.streamed("parallel_calls"))
    assert [c.finished for c in chunks[-3:]] == [False, True, True]
    assert not any(c.finished for c in chunks[:-2])


def test_calls_are_counted_and_a_call_without_arguments_has_an_empty_object():
    events = events_of(ANTHROPIC.streamed("parallel_calls"))
    assert [e.call for e in events if isinstance(e, ToolCallStarted)] == [0, 1]
    assert [e.arguments for e in events if isinstance(e, ToolCallDelta) and e.call == 1] == ["{}"]


def test_tools_that_the_vendor_runs_are_its_own_affair():
    kinds = {type(e) for e in events_of(ANTHROPIC.streamed("web_search"))}
    assert kinds == {Started, Used, TextDelta, Finished, Ended}


def test_a_signature_ends_a_thought():
    stream = START + b"".join(
        event(type="content_block_delta", index=0, delta=delta)
        for delta in (
            {"type": "thinking_delta", "thinking": "So"},
            {"type": "signature_delta", "signature": "abc"},
        )
    )
    assert events_of(stream)[2:] == [ThinkingDelta(text="So"), ThinkingDelta(signature="abc")]


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', 503, None),
        (b'data: {"type":"error","error":{"type":"api_error","message":"sk-ant-secretsecret"}}', 502, None),
        (b'event: error\ndata: {"type":"rate_limit_error","message":"slow down"}', 429, "rate_limit_exceeded"),
        (b'data: {"error":{"type":"timeout_error","message":"late"}}', 504, "upstream_timeout"),
        (
            b'data: {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}',
            400,
            "context_length_exceeded",
        ),
        (b'data: {"type":"error","error":{"type":"authentication_error","message":"sk-ant-secretsecret"}}', 502, None),
        (b'data: {"type":"error","error":{"type":"new_error","message":"sk-ant-secretsecret"}}', 502, "new_error"),
        (b'data: {"type":"error","error":"sk-ant-secretsecret"}', 502, "upstream_error"),
        (b"event: error\ndata: {}", 502, "upstream_error"),
    ],
)
def test_an_error_inside_a_stream_is_an_error(event, status, code):
    [chunk] = chunks_of(event + b"\n\n")
    assert chunk.error is not None
    assert chunk.error.status == status
    assert code in (None, chunk.error.code)
    assert "secretsecret" not in chunk.error.message
    [failed] = events_of(event + b"\n\n")
    assert isinstance(failed, Failed)
    assert (failed.error.status, failed.error.message) == (status, chunk.error.message)


def test_nothing_follows_a_failure():
    overloaded = event(type="error", error={"type": "overloaded_error", "message": "Overloaded"})
    events = events_of(START + overloaded + ANTHROPIC.streamed("text"))
    assert [type(e) for e in events] == [Started, Used, Failed]


@pytest.mark.parametrize("junk", [b"data: {\n\n", b"data: 5\n\n", b"data: <html>\n\n", b'data: {"type":"\xff"}\n\n'])
def test_garbage_is_an_error(junk):
    chunks = chunks_of(junk + ANTHROPIC.streamed("text"))
    assert isinstance(chunks[0].error, UpstreamGarbled)
    assert chunks[-1].done
    [failed] = events_of(junk + ANTHROPIC.streamed("text"))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamGarbled)


def test_a_stream_cut_in_the_middle_of_an_event_is_garbled_not_complete():
    wire_bytes = ANTHROPIC.streamed("text")
    cut = wire_bytes[: wire_bytes.index(b"stop_reason", 400) + 5]
    chunks = chunks_of(cut)
    assert isinstance(chunks[-1].error, UpstreamGarbled)
    assert not any(chunk.done or chunk.finished for chunk in chunks)
    assert isinstance(events_of(cut)[-1], Failed)


def test_events_and_fields_that_nobody_knows_are_passed_over():
    strange = event(type="weather", delta=3) + event(
        type="content_block_delta", index="a", delta={"text": "hi", "n": []}
    )
    assert [c.text for c in chunks_of(strange)] == ["", "hi"]
    assert events_of(strange) == [TextDelta(text="hi")]


def test_a_field_of_a_wrong_type_costs_that_field_alone():
    end = event(
        type="message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": 5},
        usage={"input_tokens": "many", "output_tokens": 7},
    )
    [chunk] = chunks_of(end)
    assert (chunk.finish_reason, chunk.usage) == ("stop", Usage(output_tokens=7))


def test_impossible_counts_count_nothing():
    end = event(
        type="message_delta",
        delta={"stop_reason": "end_turn"},
        usage={"input_tokens": -5, "output_tokens": 3, "output_tokens_details": {"thinking_tokens": 9}},
    )
    assert chunks_of(end)[0].usage == Usage(output_tokens=3, reasoning_tokens=3)


def test_calls_without_end_are_not_kept_in_memory():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    begun = b"".join(event(type="content_block_start", index=i, content_block=call) for i in range(2000))
    events = events_of(begun)
    assert isinstance(events[-1], Failed)
    assert len(events) < 2000


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_event_over_the_limit_ends_the_stream(step):
    wire_bytes = (
        b'data: {"type":"content_block_delta","delta":{"text":"' + b"x" * 300 + b'"}}\n\n' + ANTHROPIC.streamed("text")
    )
    cuts = range(step, len(wire_bytes), step)
    [chunk] = chunks_of(wire_bytes, cuts, limit=200)
    assert isinstance(chunk.error, UpstreamGarbled)
    [failed] = events_of(wire_bytes, cuts, limit=200)
    assert isinstance(failed, Failed)


def test_an_endless_event_is_not_kept_in_memory():
    stream = AnthropicStream(limit=10_000)
    found = [chunk for _ in range(1000) for chunk in stream.feed(b"x" * 1000)]
    assert len(found) == 1
    assert stream.close() == []


def test_twenty_thousand_broken_streams_raise_nothing():
    chance = random.Random(20261121)
    recordings = [ANTHROPIC.streamed(name) for name in ANTHROPIC.names]
    for _ in range(10_000):
        wire_bytes = broken(chance.choice(recordings), chance)
        told(chunks_of(wire_bytes, [len(wire_bytes) // 2]))
        told(events_of(wire_bytes, [len(wire_bytes) // 2]))


def test_broken_answers_are_garbled_and_no_more():
    chance = random.Random(20261122)
    recordings = [ANTHROPIC.whole(name) for name in ANTHROPIC.names]
    for _ in range(5000):
        body = broken(chance.choice(recordings), chance)
        for read in (parse_response, WIRE.read_answer):
            with suppress(UpstreamError):
                read(body)


def test_read_stream_is_a_parser_of_its_own():
    one, other = WIRE.read_stream(Prompt(messages=())), WIRE.read_stream(Prompt(messages=()))
    one.feed(ANTHROPIC.streamed("text")[:100])
    assert other.feed(event(type="message_stop")) == [Ended()]
