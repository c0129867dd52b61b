from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import OrchestratorError, UpstreamGarbled, UpstreamRefused
from providers.tests.recordings import GEMINI
from providers.tests.wire_streams import assembled, broken, fed, told, without_ids
from providers.wire.gemini.adapter import GeminiWire
from providers.wire.gemini.stream import GeminiStream
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
    ToolCall,
    Used,
)
from providers.wire.shapes import Usage
from providers.wire.sse import Flat

WIRE = GeminiWire()


def answer(name: str) -> Answer:
    return WIRE.read_answer(GEMINI.whole(name))


def events_of(sent: bytes, cuts=(), choices=1, limit=1 << 24) -> list[Event]:
    return fed(Flat(GeminiStream(choices, limit)), sent, cuts)


@pytest.mark.parametrize("name", GEMINI.names)
def test_a_stream_says_what_the_whole_answer_says(name):
    whole = answer(name)
    assert without_ids(assembled(events_of(GEMINI.streamed(name), choices=len(whole.choices)))) == without_ids(whole)


@pytest.mark.parametrize("name", GEMINI.names)
def test_one_byte_at_a_time_changes_nothing(name):
    sent = GEMINI.streamed(name)
    assert told(events_of(sent, range(1, len(sent)))) == told(events_of(sent))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(GEMINI.names), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 4000), max_size=12)
)
def test_cuts_anywhere_and_every_newline_change_nothing(name, newline, cuts):
    sent = GEMINI.streamed(name).replace(b"\r\n", b"\n").replace(b"\n", newline)
    assert told(events_of(sent, cuts)) == told(events_of(GEMINI.streamed(name)))


def test_a_text_is_read_with_its_usage():
    assert answer("text") == Answer(
        choices=(Choice(parts=(Text(text="Das Café öffnet um 8 Uhr ☕."),), finish="stop"),),
        id="kzUgacHUMMCs1e8Pz4qQmQs",
        model="gemini-2.5-flash",
        usage=Usage(input_tokens=1312, output_tokens=9, cache_read_tokens=1024),
    )


def test_thoughts_and_parallel_calls_are_read_with_their_proof():
    [choice] = answer("thinking_calls").choices
    assert choice.finish == "tool_calls"
    assert choice.parts == (
        Thinking(text="**Finding the weather**\n\nTwo cities, two calls."),
        ToolCall(
            id="8a7f3k2p",
            name="get_weather",
            arguments='{"city":"Paris","days":1}',
            signature="EuEBCt4BAXLI2nwR8pZ0hxvF9sJ3cQyZb1mU7v==",
        ),
        ToolCall(id="2jd8fk1q", name="get_weather", arguments='{"city":"Köln","days":1}'),
    )
    assert answer("thinking_calls").usage == Usage(input_tokens=88, output_tokens=100, reasoning_tokens=64)


def test_the_proof_of_a_text_follows_it():
    [choice] = answer("signed_text").choices
    assert choice.parts == (Text(text="The answer is 42."), Thinking(text="", signature="Ep4GCpsGAXLI2nzN0aTt"))


def test_calls_without_ids_get_ids_that_differ_and_stay():
    def ids(events: list[Event]) -> list[str]:
        return [part.id for part in assembled(events).choices[0].parts if isinstance(part, ToolCall)]

    sent = GEMINI.streamed("calls_without_ids")
    first, second = ids(events_of(sent))
    assert first.startswith("call_")
    assert first != second
    assert ids(events_of(sent, range(1, len(sent)))) == [first, second]
    [_, *calls] = answer("calls_without_ids").choices[0].parts
    assert [part.id for part in calls if isinstance(part, ToolCall)] == [first, second]


def test_calls_of_two_answers_that_have_no_id_differ():
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}}]},"finishReason":"FUNCTION_CALL"}]}'
    ids = set()
    for _ in range(2):
        for read in (WIRE.read_answer(body), assembled(events_of(b"data: " + body + b"\n\n"))):
            [call] = read.choices[0].parts
            assert isinstance(call, ToolCall)
            assert (call.arguments, read.choices[0].finish) == ("{}", "tool_calls")
            ids.add(call.id)
    assert len(ids) == 4


def test_a_blocked_prompt_is_an_answer_that_a_filter_finished():
    assert answer("blocked").choices == (Choice(parts=(), finish="content_filter"),)
    assert answer("blocked").usage == Usage(input_tokens=31)
    finished = [event for event in events_of(GEMINI.streamed("blocked"), choices=2) if isinstance(event, Finished)]
    assert finished == [Finished(finish="content_filter"), Finished(finish="content_filter", choice=1)]


def test_every_part_of_the_usage_is_read():
    """Cached audio is cached, not audio: 240 heard, 90 of them from the cache."""
    assert answer("vertex_audio").usage == Usage(
        input_tokens=320, output_tokens=60, cache_read_tokens=100, reasoning_tokens=50, input_audio_tokens=150
    )


def test_vertex_says_when():
    assert answer("vertex_audio").created == datetime(2026, 11, 20, 9, 15, 30, tzinfo=UTC).timestamp()


def test_usage_is_final_once_every_candidate_is_finished():
    kinds = [type(event) for event in events_of(GEMINI.streamed("two_candidates"), choices=2)]
    assert kinds == [Started, Used, TextDelta, TextDelta, Used, TextDelta, Finished, TextDelta, Finished, Used]
    used = [event.final for event in events_of(GEMINI.streamed("two_candidates"), choices=2) if isinstance(event, Used)]
    assert used == [False, False, True]
    assert not any(isinstance(event, Ended) for event in events_of(GEMINI.streamed("text")))


def test_usage_that_counts_nothing_is_none():
    events = events_of(GEMINI.streamed("vertex_audio"))
    assert [event.usage.input_tokens for event in events if isinstance(event, Used)] == [320]


def test_log_probabilities_have_the_shape_of_openai():
    logprobs = answer("logprobs").choices[0].logprobs
    assert logprobs is not None
    assert bytes(logprobs) == (
        b'{"content":[{"token":"Yes","logprob":-0.03125,"bytes":[89,101,115],"top_logprobs":['
        b'{"token":"Yes","logprob":-0.03125,"bytes":[89,101,115]},{"token":"No","logprob":-3.5,"bytes":[78,111]}]},'
        b'{"token":" \xc3\xa9","logprob":-0.5,"bytes":[32,195,169],"top_logprobs":['
        b'{"token":" \xc3\xa9","logprob":-0.5,"bytes":[32,195,169]},{"token":"No","logprob":-3.5,"bytes":[78,111]}]}]}'
    )


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("FUNCTION_CALL", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("OTHER", "content_filter"),
        ("SOMETHING_NEW", "content_filter"),
    ],
)
def test_every_reason_to_finish_has_a_word(reason, finish):
    body = b'{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"%s"}]}' % reason.encode()
    assert WIRE.read_answer(body).choices[0].finish == finish
    assert assembled(events_of(b"data: " + body + b"\n\n")).choices[0].finish == finish


def test_a_call_that_the_model_got_wrong_is_an_error_and_its_usage_is_told():
    body = (
        b'{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"Malformed function call: f("}],'
        b'"usageMetadata":{"promptTokenCount":7}}'
    )
    with pytest.raises(UpstreamRefused) as raised:
        WIRE.read_answer(body)
    assert (raised.value.status, raised.value.code) == (502, "malformed_function_call")
    started, used, failed = events_of(b"data: " + body + b"\n\n")
    assert isinstance(started, Started)
    assert isinstance(used, Used)
    assert used.usage == Usage(input_tokens=7)
    assert isinstance(failed, Failed)
    assert "f(" in failed.error.message


@pytest.mark.parametrize(
    "sent",
    [
        b'data: {"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}\r\n\r\n',
        b'[{\n  "error": {\n    "code": 503,\n    "message": "Overloaded.",\n    "status": "UNAVAILABLE"\n  }\n}\n]',
        b'{"error":{"code":503,"message":"Overloaded.","status":"UNAVAILABLE"}}',
    ],
)
def test_an_error_inside_a_stream_is_an_error_and_ends_it(sent):
    [failed] = events_of(sent)
    assert isinstance(failed, Failed)
    assert (failed.error.status, failed.error.code) == (503, "upstream_unavailable")
    [failed] = events_of(sent + b"\n\n" + GEMINI.streamed("text"))
    assert isinstance(failed, Failed)


@pytest.mark.parametrize(
    "junk", [b"data: {\n\n", b"data: 5\n\n", b"data: <html>\n\n", b'data: {"candidates":\xff}\n\n']
)
def test_garbage_is_an_error_and_ends_the_stream(junk):
    [failed] = events_of(junk + GEMINI.streamed("text"))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamGarbled)


def test_a_stream_that_is_cut_is_not_finished():
    sent = GEMINI.streamed("text")
    events = events_of(sent[: sent.rindex(b"finishReason")])
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Finished) for event in events)


def test_comments_and_a_mark_of_the_end_as_openai_sends_it_are_understood():
    events = events_of(b": keep alive\n\n" + GEMINI.streamed("vertex_audio") + b"data: [DONE]\n\n")
    assert isinstance(events[0], Started)
    assert events[-1] == Ended()


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_event_over_the_limit_ends_the_stream(step):
    sent = (
        b'data: {"candidates":[{"content":{"parts":[{"text":"' + b"x" * 3000 + b'"}]}}]}\n\n' + GEMINI.streamed("text")
    )
    [failed] = events_of(sent, range(step, len(sent), step), limit=2000)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UpstreamGarbled)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"null", b"<html>", b'{"candidates":[]}', b'{"candidates":[{"content":{}}]}', b"[" * 100_000],
)
def test_what_is_no_answer_is_garbled(body):
    with pytest.raises(UpstreamGarbled):
        WIRE.read_answer(body)


def test_empty_deltas_are_not_told():
    events = events_of(GEMINI.streamed("thinking_calls"))
    assert not [event for event in events if isinstance(event, TextDelta)]


def test_a_parser_is_made_for_as_many_candidates_as_were_asked():
    parser = WIRE.read_stream(Prompt(messages=(), choices=2))
    events = parser.feed(GEMINI.streamed("two_candidates")) + parser.close()
    assert [event.final for event in events if isinstance(event, Used)] == [False, False, True]


def test_twenty_thousand_broken_streams_raise_nothing():
    chance = Random(20261121)
    recordings = [GEMINI.streamed(name) for name in GEMINI.names]
    for _ in range(20_000):
        sent = broken(chance.choice(recordings), chance)
        told(events_of(sent, [len(sent) // 2], choices=chance.choice([1, 2])))


def test_twenty_thousand_broken_answers_raise_only_what_a_caller_may_see():
    chance = Random(20261122)
    recordings = [GEMINI.whole(name) for name in GEMINI.names]
    statuses = set()
    for _ in range(20_000):
        try:
            WIRE.read_answer(broken(chance.choice(recordings), chance))
        except OrchestratorError as error:
            statuses.add(error.status)
    assert statuses == {502}
