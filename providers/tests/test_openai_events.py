import json
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UpstreamError, UpstreamGarbled, UpstreamRefused
from providers.tests.recordings import OPENAI
from providers.tests.wire_streams import fed
from providers.wire.assembly import answer_of
from providers.wire.neutral import (
    Answer,
    Ended,
    Event,
    Failed,
    Finished,
    Prompt,
    Started,
    Text,
    TextDelta,
    Thinking,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.events import OpenAIEvents
from providers.wire.shapes import Usage
from providers.wire.sse import Flat

NOTHING = Prompt(messages=())


def events_of(wire_bytes: bytes, cuts=(), limit=1 << 24) -> list[Event]:
    return fed(Flat(OpenAIEvents(limit)), wire_bytes, cuts)


def event(choice: str, more: str = "") -> bytes:
    return b'data: {"id":"x","choices":[' + choice.encode() + b"]" + more.encode() + b"}\n\n"


def delta(words: str, reason: str = "null") -> bytes:
    return event(f'{{"index":0,"delta":{words},"finish_reason":{reason}}}')


def told(thing: object) -> str:
    """Errors and Raw compare by what they say."""
    return msgspec.json.encode(thing, enc_hook=repr).decode()


def calls_in(answer: Answer) -> list[ToolCall]:
    return [part for part in answer.choices[0].parts if isinstance(part, ToolCall)]


def as_told(answer: Answer) -> str:
    return told(msgspec.structs.replace(answer, id="", created=0))


@pytest.mark.parametrize("name", OPENAI.names)
def test_a_stream_put_together_is_the_whole_answer(name):
    events = events_of(OPENAI.streamed(name))
    answer = OpenAIWire().read_answer(OPENAI.whole(name))

    assert as_told(answer_of(events)) == as_told(answer)
    assert answer.choices
    assert answer.usage is not None
    assert isinstance(events[0], Started)
    assert events[-1] == Ended()


@pytest.mark.parametrize("name", OPENAI.names)
def test_one_byte_at_a_time_says_the_same(name):
    wire_bytes = OPENAI.streamed(name)
    assert told(events_of(wire_bytes, range(1, len(wire_bytes)))) == told(events_of(wire_bytes))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(OPENAI.names), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 6000), max_size=12)
)
def test_cuts_anywhere_and_every_newline_say_the_same(name, newline, cuts):
    wire_bytes = OPENAI.streamed(name).replace(b"\r\n", b"\n").replace(b"\n", newline)
    cut = events_of(wire_bytes, [cut for cut in cuts if cut < len(wire_bytes)])
    assert as_told(answer_of(cut)) == as_told(answer_of(events_of(OPENAI.streamed(name))))


def test_calls_in_parallel_keep_their_arguments_apart():
    answer = answer_of(events_of(OPENAI.streamed("mixed_parallel_calls")))
    assert answer.choices[0].parts == (
        Text(text="Let me look."),
        ToolCall(id="call_a", name="get_weather", arguments='{"city":"Zürich"}'),
        ToolCall(id="call_b", name="get_time", arguments='{"zone":"Europe/Zurich"}'),
    )
    assert answer.choices[0].finish == "tool_calls"


def test_calls_that_share_a_place_are_told_apart_by_id():
    answer = answer_of(events_of(OPENAI.streamed("gemini_compatible_calls")))
    assert answer.choices[0].parts == (
        ToolCall(id="function-call-17", name="get_weather", arguments='{"city":"Bern"}', signature="CtQBAdHtim9r"),
        ToolCall(id="function-call-18", name="get_time", arguments='{"zone":"CET"}'),
    )
    assert answer.choices[0].finish == "tool_calls"


def test_a_call_waits_for_its_name():
    wire_bytes = delta('{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\\"a\\""}}]}')
    assert events_of(wire_bytes) == [Started(id="x")]
    wire_bytes += delta('{"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1}"}}]}')
    assert events_of(wire_bytes)[1:] == [
        ToolCallStarted(call=0, id="a", name="f"),
        ToolCallDelta(call=0, arguments='{"a":1}'),
    ]


def test_a_call_that_never_gets_a_name_is_told_at_the_end():
    wire_bytes = delta('{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}') + delta("{}", '"stop"')
    assert events_of(wire_bytes)[1:] == [
        ToolCallStarted(call=0, id="a", name=""),
        ToolCallDelta(call=0, arguments="{}"),
        Finished(finish="tool_calls"),
    ]


def test_calls_without_ids_get_some_that_are_the_same_whole_and_streamed():
    head = b'"id":"q7","created":9,"choices":[{"index":0,'
    calls = b'[{"function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"g","arguments":"{}"}}]'
    stream = answer_of(events_of(b"data: {" + head + b'"delta":{"tool_calls":' + calls + b"}}]}\n\n"))
    body = b"{" + head + b'"message":{"tool_calls":' + calls + b"}}]}"
    parts = calls_in(OpenAIWire().read_answer(body))
    assert parts == calls_in(stream)
    assert [part.arguments for part in parts] == ['{"a":1}', "{}"]
    assert len({part.id for part in parts}) == 2
    assert all(part.id for part in parts)


@pytest.mark.parametrize("reason", [b"null", b'""', b'"null"'])
def test_a_whole_answer_without_a_reason_is_whole_and_a_stream_without_one_is_not(reason):
    choice = b'{"choices":[{"index":0,"finish_reason":' + reason + b',"%s":{"content":"a"}}]}'
    assert OpenAIWire().read_answer(choice % b"message").choices[0].finish == "stop"
    streamed = events_of(b"data: " + choice % b"delta" + b"\n\n")
    assert not any(isinstance(event, Finished) for event in streamed)


def test_an_old_function_call_is_a_call():
    wire_bytes = delta('{"function_call":{"name":"f","arguments":""}}') + delta('{"function_call":{"arguments":"{}"}}')
    answer = answer_of(events_of(wire_bytes + delta("{}", '"function_call"')))
    [call] = calls_in(answer)
    assert (call.name, call.arguments, answer.choices[0].finish) == ("f", "{}", "tool_calls")


@pytest.mark.parametrize(
    ("choice", "finish", "met"),
    [
        ('"delta":{"content":"a"},"finish_reason":"stop"', "stop", ""),
        ('"delta":{"content":"a"},"finish_reason":"stop","stop_reason":"END"', "stop_sequence", "END"),
        ('"delta":{"content":"a"},"finish_reason":"stop","stop_reason":128001', "stop", ""),
        ('"delta":{"refusal":"no"},"finish_reason":"stop"', "refusal", ""),
        ('"delta":{"content":"a"},"finish_reason":"length","stop_reason":"END"', "length", ""),
        ('"delta":{"content":"a"},"finish_reason":"content_filter"', "content_filter", ""),
        ('"delta":{"content":"a"},"finish_reason":"eos_token"', "stop", ""),
    ],
)
def test_every_end_has_its_name(choice, finish, met):
    [ended] = [each for each in events_of(event(f'{{"index":0,{choice}}}')) if isinstance(each, Finished)]
    assert (ended.finish, ended.stop_sequence) == (finish, met)


def test_an_end_told_twice_is_told_once():
    events = events_of(delta("{}", '"stop"') * 2)
    assert [each for each in events if isinstance(each, Finished)] == [Finished(finish="stop")]


def test_usage_before_the_end_is_not_final():
    usage = ',"usage":{"prompt_tokens":5,"completion_tokens":%d}'
    wire_bytes = event('{"index":0,"delta":{"content":"a"}}', usage % 1)
    wire_bytes += event('{"index":0,"delta":{},"finish_reason":"stop"}', usage % 2)
    assert [each for each in events_of(wire_bytes) if isinstance(each, Used)] == [
        Used(usage=Usage(input_tokens=5, output_tokens=1), final=False),
        Used(usage=Usage(input_tokens=5, output_tokens=2)),
    ]


def test_an_empty_usage_is_none():
    assert not [each for each in events_of(event("", ',"usage":{}')) if isinstance(each, Used)]


def test_thought_and_text_in_one_list_stay_in_order():
    answer = answer_of(events_of(OPENAI.streamed("mistral_thinking")))
    assert answer.choices[0].parts == (Thinking(text="Let me add."), Text(text="It is 4."))


def test_log_probabilities_are_those_of_their_text():
    events = [each for each in events_of(OPENAI.streamed("openai_logprobs")) if isinstance(each, TextDelta)]
    noted = [(each.text, json.loads(bytes(each.logprobs or b""))["content"]) for each in events]
    assert [(text, [entry["token"] for entry in entries]) for text, entries in noted] == [
        ("Hello", ["Hello"]),
        ("!", ["!"]),
    ]


@pytest.mark.parametrize(
    ("wire_bytes", "status", "code"),
    [
        (b'data: {"error":{"message":"The server had an error","type":"server_error"}}', 502, "upstream_error"),
        (b'event: error\ndata: {"message":"overloaded","code":503}', 503, "upstream_unavailable"),
        (b'data: {"choices":[{"delta":{"content":"a"}}],"error":{"code":429}}', 429, "rate_limit_exceeded"),
        (b"data: <html>", 502, "upstream_garbled"),
        (b"data: 5", 502, "upstream_garbled"),
        (b'data: {"choices":[{"delta":{"content":' + b"[" * 700 + b"]" * 700 + b"}}]}", 502, "upstream_garbled"),
    ],
)
def test_an_error_ends_the_stream(wire_bytes, status, code):
    events = events_of(wire_bytes + b"\n\n" + OPENAI.streamed("openai_text"))
    assert isinstance(events[-1], Failed)
    assert (events[-1].error.status, events[-1].error.code) == (status, code)
    assert not any(isinstance(each, Ended) for each in events)


def test_nothing_follows_the_end():
    assert events_of(OPENAI.streamed("openai_text") * 2)[-1] == Ended()
    assert sum(isinstance(each, Ended) for each in events_of(OPENAI.streamed("openai_text") * 2)) == 1


def test_a_stream_cut_in_the_middle_of_an_event_has_failed():
    wire_bytes = OPENAI.streamed("openai_text")
    events = events_of(wire_bytes[: wire_bytes.index(b"finish_reason") + 5])
    assert isinstance(events[-1], Failed)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_event_over_the_limit_ends_the_stream(step):
    wire_bytes = delta('{"content":"%s"}' % ("x" * 300)) + OPENAI.streamed("openai_text")
    [failed] = events_of(wire_bytes, range(step, len(wire_bytes), step), limit=200)
    assert isinstance(failed, Failed)


def test_calls_without_end_are_not_kept_in_memory():
    parser = Flat(OpenAIEvents())
    found: list[Event] = []
    for number in range(2000):
        found += parser.feed(delta(f'{{"tool_calls":[{{"index":{number},"id":"c{number}"}}]}}'))
    assert isinstance(found[-1], Failed)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", UpstreamGarbled),
        (b"<html>", UpstreamGarbled),
        (b"[]", UpstreamGarbled),
        (b'{"choices":[]}', UpstreamGarbled),
        (b'{"choices":{}}', UpstreamGarbled),
        (b'{"choices":[5]}', UpstreamGarbled),
        (b'{"choices":[{"message":{"content":' + b"[" * 700 + b"]" * 700 + b"}}]}", UpstreamGarbled),
        (b'{"error":{"message":"no such model","code":404}}', UpstreamRefused),
    ],
)
def test_a_body_that_is_no_answer_is_an_error(body, error):
    with pytest.raises(error):
        OpenAIWire().read_answer(body)


def test_twenty_thousand_broken_streams_and_bodies_raise_nothing_else():
    chance = random.Random(20261122)
    recordings = [OPENAI.streamed(name) for name in OPENAI.names]
    bodies = [OPENAI.whole(name) for name in OPENAI.names]
    for turn in range(20_000):
        wire_bytes = bytearray(chance.choice(bodies if turn % 4 == 0 else recordings)[: chance.randrange(1, 1500)])
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(wire_bytes))
            wire_bytes[place : place + chance.randrange(3)] = bytes(chance.choices(b'\x00\xff"{}[]:,\\\r\n0e-ntf', k=2))
            if not wire_bytes:
                wire_bytes = bytearray(b"{")
        events = events_of(bytes(wire_bytes), [len(wire_bytes) // 2])
        assert not any(isinstance(each, Failed | Ended) for each in events[:-1])
        if turn % 4 == 0:
            try:
                OpenAIWire().read_answer(bytes(wire_bytes))
            except UpstreamError:
                continue
