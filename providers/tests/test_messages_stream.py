"""Answers in the Messages dialect, streamed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import (
    UpstreamGarbled,
)
from providers.tests.messages_speech import REQUEST, SPEECH, encoded, events, rendered, reread, streamed
from providers.wire.anthropic.renderer import MessagesRenderer, Nesting
from providers.wire.neutral import (
    Ended,
    Event,
    Failed,
    Finished,
    Part,
    RedactedThinking,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ThinkingRedacted,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.shapes import Usage

USAGE = Usage(input_tokens=100, output_tokens=50, cache_read_tokens=30, cache_write_tokens=20, reasoning_tokens=9)


def test_a_stream_says_at_once_what_is_known_and_at_the_end_what_came_late():
    early = Usage(input_tokens=100, cache_read_tokens=30, cache_write_tokens=20)
    first, *_, delta, _ = events(
        streamed(
            Started(id="msg_1", model="gpt"),
            Used(usage=early, final=False),
            TextDelta(text="Hi"),
            Finished(finish="stop_sequence", stop_sequence="END"),
            Used(usage=USAGE),
            Ended(),
        )
    )
    assert (first["message"]["usage"]["input_tokens"], first["message"]["usage"]["output_tokens"]) == (50, 0)
    assert delta["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert delta["usage"] == rendered(usage=USAGE)["usage"]
    late, *_ = events(streamed(TextDelta(text="Hi"), Used(usage=USAGE), Ended()))
    assert late["message"]["usage"]["input_tokens"] == 0


def test_text_is_streamed_as_it_comes():
    renderer = SPEECH.renderer(REQUEST)
    assert renderer.render([Started(id="msg_1", model="gpt")]) == b""
    begun = [event["type"] for event in events(renderer.render([TextDelta(text="Hel")]))]
    assert begun == ["message_start", "content_block_start", "content_block_delta"]
    [delta] = events(renderer.render([TextDelta(text="lo")]))
    assert delta["delta"] == {"type": "text_delta", "text": "lo"}
    assert renderer.render([TextDelta(text=""), ThinkingDelta(), RefusalDelta(text="")]) == b""


def test_what_follows_a_thought_is_streamed_as_it_comes_too():
    renderer = SPEECH.renderer(REQUEST)
    renderer.render([ThinkingDelta(text="Hm.")])
    told = events(renderer.render([TextDelta(text="Hi")]))
    assert [event["type"] for event in told] == ["content_block_stop", "content_block_start", "content_block_delta"]


def test_a_provider_that_names_no_model_is_taken_for_the_one_asked():
    assert reread(streamed(Started(id="x"), Ended()))["model"] == "claude"
    assert reread(streamed(Started(id="x", model="gpt"), Ended()))["model"] == "gpt"


def test_a_closing_is_written_once():
    renderer = SPEECH.renderer(REQUEST)
    told = renderer.render([TextDelta(text="Hi"), Finished(finish="stop")])
    assert b"message_stop" not in told
    assert reread(told + renderer.end())["content"] == [{"type": "text", "text": "Hi"}]
    assert renderer.end() == b""
    assert renderer.render([TextDelta(text="more"), Ended()]) == b""


@pytest.mark.parametrize("last", [[], [Failed(error=UpstreamGarbled("x")), Finished(finish="stop")]])
def test_what_broke_off_gets_no_closing(last):
    renderer = SPEECH.renderer(REQUEST)
    assert b"message_stop" not in renderer.render([TextDelta(text="Hi"), *last])
    assert renderer.end() == b""


def test_other_answers_than_the_first_are_left_out():
    told = streamed(
        TextDelta(text="one"), TextDelta(text="two", choice=1), Finished(finish="length", choice=1), Ended()
    )
    message = reread(told)
    assert message["content"] == [{"type": "text", "text": "one"}]
    assert message["stop_reason"] == "end_turn"


def test_a_new_thought_begins_after_a_signature():
    told = streamed(
        ThinkingDelta(text="a"),
        ThinkingDelta(text="b", signature="1"),
        ThinkingDelta(text="c"),
        ThinkingRedacted(encoded="x"),
        ThinkingDelta(signature="2"),
        Ended(),
    )
    assert reread(told)["content"] == [
        {"type": "thinking", "thinking": "ab", "signature": "1"},
        {"type": "thinking", "thinking": "c", "signature": ""},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "thinking", "thinking": "", "signature": "2"},
    ]


def test_a_call_that_is_whole_makes_room_for_the_next_before_the_end():
    renderer = SPEECH.renderer(REQUEST)
    renderer.render([ToolCallStarted(call=0, id="a", name="f"), ToolCallDelta(call=0, arguments='{"x":"}\\"')])
    assert renderer.render([ToolCallStarted(call=1, id="b", name="g"), ToolCallDelta(call=1, arguments="{")]) == b""
    told = events(renderer.render([ToolCallDelta(call=0, arguments='"}')]))
    assert [event["type"] for event in told] == [
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]
    assert events(renderer.render([ToolCallDelta(call=1, arguments="}")]))[0]["index"] == 1


def test_words_among_mixed_calls_wait_for_their_turn():
    told = streamed(
        ToolCallStarted(call=0, id="a", name="f"),
        TextDelta(text="Meanwhile"),
        ToolCallDelta(call=0, arguments='{"x":1}'),
        ToolCallDelta(call=7, arguments="never begun"),
        TextDelta(text=" this."),
        ToolCallDelta(call=0, arguments="  "),
        ToolCallStarted(call=0, id="a", name="f"),
        Ended(),
    )
    assert reread(told)["content"] == [
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "text", "text": "Meanwhile this."},
    ]


def test_more_than_the_limit_does_not_wait_in_memory():
    renderer = MessagesRenderer(REQUEST, limit=10_000)
    told = renderer.render([ToolCallStarted(call=0, id="a", name="f"), ToolCallStarted(call=1, id="b", name="g")])
    for _ in range(100):
        told += renderer.render([ToolCallDelta(call=1, arguments="x" * 1_000)])
    last = events(told)[-1]
    assert (last["type"], last["error"]["code"]) == ("error", "upstream_garbled")
    assert renderer.render([Finished(finish="stop"), Ended()]) + renderer.end() == b""
    assert len(told) < 2_000


def test_calls_without_end_do_not_wait_in_memory_either():
    renderer = MessagesRenderer(REQUEST, limit=10_000)
    told = renderer.render([ToolCallStarted(call=call, id="c", name="f") for call in range(1_000)])
    assert events(told)[-1]["type"] == "error"


def test_what_waited_and_was_told_no_longer_counts():
    renderer = MessagesRenderer(REQUEST, limit=2_000)
    told = b""
    for call in range(100):
        told += renderer.render([ToolCallStarted(call=call, id=f"c{call}", name="f")])
        told += renderer.render([ToolCallDelta(call=call, arguments="{}")])
    assert len(reread(told + renderer.render([Ended()]))["content"]) == 100


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.text(alphabet='a"\\{}[]é', max_size=5), lambda inner: st.dictionaries(st.text(), inner)))
def test_an_object_is_whole_with_its_last_character(value):
    text = json.dumps({"x": value})
    nesting = Nesting()
    for character in text[:-1]:
        nesting.feed(character)
        assert not nesting.whole
    nesting.feed(text[-1])
    assert nesting.whole
    at_once = Nesting()
    at_once.feed(text)
    assert at_once.whole


words = st.text(min_size=1, max_size=12)
proofs = st.text(alphabet="abcXYZ09+/=", min_size=1, max_size=8)
objects = st.dictionaries(words, st.one_of(words, st.integers(), st.none(), st.lists(words)), max_size=3).map(
    json.dumps
)
said = st.one_of(
    st.builds(Text, text=words),
    st.builds(Refusal, text=words),
    st.builds(Thinking, text=words, signature=proofs),
    st.builds(Thinking, text=st.just(""), signature=proofs),
    st.builds(RedactedThinking, encoded=words),
    st.builds(ToolCall, id=words, name=words, arguments=objects, signature=st.one_of(st.just(""), proofs)),
)
usages = st.builds(
    Usage,
    input_tokens=st.integers(20, 99),
    output_tokens=st.integers(10, 99),
    cache_read_tokens=st.integers(0, 9),
    cache_write_tokens=st.integers(0, 9),
    reasoning_tokens=st.integers(0, 9),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(said, min_size=1, max_size=6))
def test_an_answer_sent_back_with_the_next_request_is_what_was_answered(answered):
    turn = {"role": "assistant", "content": rendered(*answered)["content"]}
    prompt = SPEECH.prompt_of(SPEECH.parse_request(encoded(messages=[{"role": "user", "content": "x"}, turn])))
    expected = tuple(Text(text=part.text) if isinstance(part, Refusal) else part for part in answered)
    assert prompt.messages[1].parts == expected
    assert prompt.others == {}


def pieces(draw: st.DrawFn, text: str) -> list[str]:
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def happenings(draw: st.DrawFn) -> tuple[list[Part], list[Event]]:
    """An answer, and events that tell it: cut anywhere, the arguments of neighbouring calls mixed."""
    answered: list[Part] = []
    for part in draw(st.lists(said, min_size=1, max_size=6)):
        if not (answered and isinstance(part, Text | Refusal) and type(part) is type(answered[-1])):
            answered.append(part)
    told: list[Event] = [Started(id="msg_1", model="gpt")]
    parallel: list[list[Event]] = []
    calls = 0
    for part in answered:
        if isinstance(part, ToolCall):
            parallel.append(call_events(draw, part, calls))
            calls += 1
        else:
            told += mixed(draw, parallel) + word_events(draw, part)
            parallel = []
    return answered, told + mixed(draw, parallel)


def call_events(draw: st.DrawFn, call: ToolCall, number: int) -> list[Event]:
    begun = ToolCallStarted(call=number, id=call.id, name=call.name, signature=call.signature)
    return [begun, *(ToolCallDelta(call=number, arguments=piece) for piece in pieces(draw, call.arguments))]


def mixed(draw: st.DrawFn, parallel: list[list[Event]]) -> list[Event]:
    """The calls begin in their order; what follows comes in any."""
    told = [call[0] for call in parallel]
    rest = [call[1:] for call in parallel]
    while any(rest):
        told.append(draw(st.sampled_from([call for call in rest if call])).pop(0))
    return told


def word_events(draw: st.DrawFn, part: Part) -> list[Event]:
    match part:
        case Text():
            return [TextDelta(text=piece) for piece in pieces(draw, part.text)]
        case Refusal():
            return [RefusalDelta(text=piece) for piece in pieces(draw, part.text)]
        case Thinking():
            told: list[Event] = [ThinkingDelta(text=piece) for piece in pieces(draw, part.text)]
            return [*told, ThinkingDelta(signature=part.signature)]
        case RedactedThinking():
            return [ThinkingRedacted(encoded=part.encoded)]
        case _:
            raise AssertionError(part)


@settings(max_examples=300, deadline=None)
@given(happenings(), st.sampled_from(["stop", "length", "tool_calls", "refusal"]), usages, st.integers(1, 9))
def test_a_stream_says_what_the_whole_answer_says(happening, finish, usage, step):
    answered, told = happening
    told = [*told, Finished(finish=finish), Used(usage=usage), Ended()]
    renderer = SPEECH.renderer(REQUEST)
    batched = b"".join(renderer.render(told[start : start + step]) for start in range(0, len(told), step))

    assert reread(batched) == rendered(*answered, finish=finish, usage=usage, id="msg_1", model="gpt")
    assert batched == streamed(*told)
