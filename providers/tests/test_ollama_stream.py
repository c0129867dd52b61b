from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import OrchestratorError, UpstreamGarbled, UpstreamRefused
from providers.tests.recordings import OLLAMA
from providers.tests.wire_streams import assembled, broken, fed, told, without_ids
from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
    Failed,
    Finished,
    Prompt,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    Used,
)
from providers.wire.ollama.adapter import OllamaWire
from providers.wire.ollama.stream import OllamaStream
from providers.wire.shapes import Usage

WIRE = OllamaWire()


def answer(name: str) -> Answer:
    return WIRE.read_answer(OLLAMA.whole(name))


def events_of(sent: bytes, cuts=(), limit=1 << 24) -> list[Event]:
    return fed(OllamaStream(limit), sent, cuts)


@pytest.mark.parametrize("name", OLLAMA.names)
def test_a_stream_says_what_the_whole_answer_says(name):
    events = events_of(OLLAMA.streamed(name))
    assert without_ids(assembled(events)) == without_ids(answer(name))
    assert events[-1] == Ended()


@pytest.mark.parametrize("name", OLLAMA.names)
def test_one_byte_at_a_time_changes_nothing(name):
    sent = OLLAMA.streamed(name)
    assert told(events_of(sent, range(1, len(sent)))) == told(events_of(sent))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(OLLAMA.names),
    st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
    st.lists(st.integers(0, 4000), max_size=12),
)
def test_cuts_anywhere_and_every_newline_change_nothing(name, newline, cuts):
    sent = OLLAMA.streamed(name).replace(b"\n", newline)
    assert told(events_of(sent, cuts)) == told(events_of(OLLAMA.streamed(name)))
    assert told(events_of(sent.rstrip(), cuts)) == told(events_of(OLLAMA.streamed(name)))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{}[]":,\r\n \\eé1', max_size=60), st.lists(st.integers(1, 90), max_size=6))
def test_cuts_change_nothing_in_odd_bytes_either(text, cuts):
    sent = text.encode()
    assert told(events_of(sent, cuts)) == told(events_of(sent))


def test_a_text_is_read_with_its_usage():
    whole = answer("text")
    assert whole == Answer(
        choices=(Choice(parts=(Text(text="Der Himmel ist blau, weil …"),), finish="stop"),),
        model="llama3.2",
        usage=Usage(input_tokens=26, output_tokens=7),
        created=int(datetime(2026, 11, 20, 9, 15, 30, tzinfo=UTC).timestamp()),
    )


def test_a_thought_and_parallel_calls_are_read():
    [choice] = answer("thinking_calls").choices
    assert choice.finish == "tool_calls"
    assert choice.parts == (
        Thinking(text="The user wants the weather twice."),
        ToolCall(id="call_a1b2c3d4", name="get_weather", arguments='{"city":"Zürich"}'),
        ToolCall(id="call_e5f6g7h8", name="get_weather", arguments='{"city":"Oslo"}'),
    )


def test_calls_without_ids_get_ids_that_differ_and_stay():
    def ids(events: list[Event]) -> list[str]:
        return [part.id for part in assembled(events).choices[0].parts if isinstance(part, ToolCall)]

    sent = OLLAMA.streamed("calls_without_ids")
    first, second = ids(events_of(sent))
    assert first.startswith("call_")
    assert first != second
    assert ids(events_of(sent, range(1, len(sent)))) == [first, second]


def test_a_prompt_that_was_not_counted_costs_nothing_but_the_answer():
    assert answer("length").usage == Usage(output_tokens=2)
    assert answer("length").choices[0].finish == "length"
    assert answer("loaded").usage is None


def test_log_probabilities_are_given_as_they_come():
    deltas = [event for event in events_of(OLLAMA.streamed("logprobs")) if isinstance(event, TextDelta)]
    assert [(delta.text, bytes(delta.logprobs or b"")) for delta in deltas] == [
        (
            "Ja",
            b'{"content":[{"token":"Ja","logprob":-0.01,"bytes":[74,97],'
            b'"top_logprobs":[{"token":"Ja","logprob":-0.01,"bytes":[74,97]}]}]}',
        ),
        (
            " é",
            b'{"content":[{"token":" \xc3\xa9","logprob":-0.7,"bytes":[32,195,169],'
            b'"top_logprobs":[{"token":" \xc3\xa9","logprob":-0.7,"bytes":[32,195,169]}]}]}',
        ),
    ]


def test_log_probabilities_of_a_thought_are_none_of_the_text():
    line = b'{"message":{"content":"","thinking":"hm"},"logprobs":[{"token":"hm","logprob":-1}],"done":false}\n'
    [_, thought] = events_of(line)
    assert thought == ThinkingDelta(text="hm")


def test_a_picture_is_told_as_markdown():
    body = b'{"message":{"content":"Here: ","images":["/9j/4AAQ"]},"done":true,"done_reason":"stop"}'
    [choice] = WIRE.read_answer(body).choices
    assert choice.parts == (Text(text="Here: ![image/jpeg](data:image/jpeg;base64,/9j/4AAQ)"),)


def test_quoted_arguments_are_unquoted():
    body = b'{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\\"a\\": 1}"}}]},"done":true}'
    [part] = WIRE.read_answer(body).choices[0].parts
    assert isinstance(part, ToolCall)
    assert part.arguments == '{"a": 1}'


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (b'{"error":"an error was encountered while running the model: oops"}', 502, "upstream_error"),
        (b'{"error":"the input length exceeds the context length"}', 400, "context_length_exceeded"),
        (b'{"error":{"message":"odd"}}', 502, "upstream_error"),
    ],
)
def test_an_error_line_is_an_error_and_ends_the_stream(line, status, code):
    first = OLLAMA.streamed("text").splitlines(keepends=True)[0]
    events = events_of(first + line + b"\n" + OLLAMA.streamed("text"))
    assert [type(event) for event in events] == [Started, TextDelta, Failed]
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert (failed.error.status, failed.error.code) == (status, code)
    with pytest.raises(UpstreamRefused):
        WIRE.read_answer(line)


@pytest.mark.parametrize("junk", [b"{\n", b"5\n", b"<html>\n", b'{"message":\xff}\n', b"[]\n"])
def test_garbage_is_an_error_and_ends_the_stream(junk):
    [failed] = events_of(junk + OLLAMA.streamed("text"))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamGarbled)


def test_nothing_follows_the_end():
    assert events_of(OLLAMA.streamed("text") + b"more\n") == events_of(OLLAMA.streamed("text"))


def test_a_stream_that_is_cut_is_not_finished():
    sent = OLLAMA.streamed("text")
    between = events_of(sent[: sent.rindex(b'{"model"')])
    assert not any(isinstance(event, Finished | Used | Ended | Failed) for event in between)
    within = events_of(sent[:-5])
    assert isinstance(within[-1], Failed)


@pytest.mark.parametrize("step", [1, 7, 1000, 10_000])
def test_a_line_over_the_limit_ends_the_stream(step):
    sent = b'{"message":{"content":"' + b"x" * 3000 + b'"}}\n' + OLLAMA.streamed("text")
    [failed] = events_of(sent, range(step, len(sent), step), limit=2000)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamGarbled)


def test_an_endless_line_is_not_kept_in_memory():
    stream = OllamaStream(limit=10_000)
    found = [event for _ in range(1000) for event in stream.feed(b"x" * 1000)]
    assert len(found) == 1
    assert stream.close() == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"null", b"<html>", b'{"message":{"content":"a"}}', b"[" * 100_000]
)
def test_what_is_no_answer_is_garbled(body):
    with pytest.raises(UpstreamGarbled):
        WIRE.read_answer(body)


def test_a_parser_is_made_for_a_prompt():
    parser = WIRE.read_stream(Prompt(messages=()))
    assert told(parser.feed(OLLAMA.streamed("text")) + parser.close()) == told(events_of(OLLAMA.streamed("text")))


def test_twenty_thousand_broken_streams_raise_nothing():
    chance = Random(20261123)
    recordings = [OLLAMA.streamed(name) for name in OLLAMA.names]
    for _ in range(20_000):
        sent = broken(chance.choice(recordings), chance)
        told(events_of(sent, [len(sent) // 2]))


def test_twenty_thousand_broken_answers_raise_only_what_a_caller_may_see():
    chance = Random(20261124)
    recordings = [OLLAMA.whole(name) for name in OLLAMA.names]
    statuses = set()
    for _ in range(20_000):
        try:
            WIRE.read_answer(broken(chance.choice(recordings), chance))
        except OrchestratorError as error:
            statuses.add(error.status)
    assert statuses == {502}
