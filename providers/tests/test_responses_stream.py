"""An answer as the Responses API streams it: every event is one that the official SDK's own types take."""

import json

import httpx2
import msgspec
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UpstreamGarbled
from providers.tests.responses_speech import SPEECH, anonymous, answer_of, events, parsed, parts, reread, streamed
from providers.wire.assembly import events_of
from providers.wire.neutral import (
    Choice,
    Ended,
    Failed,
    Finished,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.responses.renderer import ResponsesRenderer
from providers.wire.shapes import Usage

STARTED = Started(model="claude", created=1_700_000_000)
STOPPED = Finished(finish="stop")


def kinds(streamed):
    return [event["type"].removeprefix("response.") for event in events(streamed)]


def test_a_text_is_told_in_the_documented_order():
    told = streamed(STARTED, TextDelta(text="Hel"), TextDelta(text="lo"), STOPPED, Used(usage=Usage(output_tokens=2)))
    assert kinds(told) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    first, last = events(told)[0]["response"], events(told)[-1]["response"]
    assert (first["status"], first["output"], first["usage"]) == ("in_progress", [], None)
    assert (last["status"], last["usage"]["output_tokens"], last["model"]) == ("completed", 2, "claude")
    assert (last["id"], last["created_at"]) == (first["id"], first["created_at"])
    assert not told.endswith(b"[DONE]\n\n")


def test_thoughts_are_told_as_summaries():
    told = streamed(
        STARTED,
        ThinkingDelta(text="H"),
        ThinkingDelta(text="m", signature="proof"),
        ThinkingDelta(text="Next"),
        ThinkingRedacted(encoded="xyz"),
        TextDelta(text="Hi"),
        STOPPED,
    )
    assert kinds(told)[2:9] == [
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done",
        "output_item.done",
    ]  # fmt: skip
    output = reread(told)["output"]
    assert [(item["type"], item.get("encrypted_content")) for item in output] == [
        ("reasoning", "proof"),
        ("reasoning", None),
        ("reasoning", "redacted_thinking:xyz"),
        ("message", None),
    ]


def test_calls_whose_arguments_are_mixed_stay_apart():
    told = streamed(
        STARTED,
        TextDelta(text="Both."),
        ToolCallStarted(call=0, id="a", name="f"),
        ToolCallDelta(call=0, arguments='{"x"'),
        ToolCallStarted(call=1, id="b", name="g", signature="seal"),
        ToolCallDelta(call=1, arguments='{"y"'),
        ToolCallDelta(call=0, arguments=": 1}"),
        ToolCallDelta(call=1, arguments=": 2}"),
        Finished(finish="tool_calls"),
    )
    output = reread(told)["output"]
    calls = [(item["call_id"], item["arguments"]) for item in output if item["type"] == "function_call"]
    assert calls == [("a", '{"x": 1}'), ("b", '{"y": 2}')]
    assert [item["type"] for item in output] == ["message", "function_call", "reasoning", "function_call"]


def test_a_refusal_and_a_text_are_parts_of_one_message():
    told = streamed(STARTED, TextDelta(text="Well. "), RefusalDelta(text="N"), RefusalDelta(text="o"), STOPPED)
    (message,) = reread(told)["output"]
    assert [part.get("refusal", part.get("text")) for part in message["content"]] == ["Well. ", "No"]
    assert kinds(told)[-4:] == ["refusal.done", "content_part.done", "output_item.done", "completed"]


def test_an_answer_that_was_cut_is_incomplete():
    told = streamed(STARTED, TextDelta(text="Hel"), Finished(finish="length"))
    last = events(told)[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["output"][0]["status"] == "incomplete"


def test_nothing_is_written_before_there_is_something_to_tell():
    renderer = SPEECH.renderer(parsed())
    assert renderer.render([STARTED, Used(usage=Usage(input_tokens=3), final=False)]) == b""
    assert renderer.render([TextDelta(text="Hi")]) != b""


def test_the_end_is_written_once():
    renderer = SPEECH.renderer(parsed())
    assert renderer.render([STARTED, TextDelta(text="Hi")])
    assert renderer.end() == b""
    assert renderer.render([STOPPED]) == b""
    assert b"response.completed" in renderer.end()
    assert renderer.end() == b""
    assert renderer.render([TextDelta(text="more"), Ended()]) == b""


def test_after_a_failure_nothing_is_written():
    renderer = SPEECH.renderer(parsed())
    renderer.render([STARTED, TextDelta(text="Hi"), Failed(error=UpstreamGarbled("broken"))])
    assert renderer.render([TextDelta(text="more"), STOPPED, Ended()]) == b""
    assert renderer.end() == b""


def test_deltas_of_calls_that_nobody_began_and_of_other_choices_are_passed_over():
    told = streamed(
        STARTED,
        ToolCallDelta(call=3, arguments="{}"),
        TextDelta(text="other", choice=1),
        ToolCallStarted(call=0, id="a", name="f"),
        ToolCallStarted(call=0, id="b", name="g"),
        STOPPED,
    )
    (call,) = reread(told)["output"]
    assert (call["call_id"], call["arguments"]) == ("a", "")


def test_an_answer_beyond_the_limit_ends_in_an_error():
    renderer = ResponsesRenderer(parsed(), limit=10)
    told = renderer.render([STARTED, TextDelta(text="0123456789"), TextDelta(text="x"), TextDelta(text="y"), STOPPED])
    assert kinds(told)[-2:] == ["output_text.delta", "error"]
    assert renderer.render([Ended()]) + renderer.end() == b""


def test_an_error_in_a_stream_is_one_that_the_official_sdk_raises():
    told = SPEECH.renderer(parsed()).render([STARTED, TextDelta(text="Hi")])
    broken = told + SPEECH.error_event(UpstreamGarbled("It broke."))

    def answer(request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=broken)

    client = openai.OpenAI(
        api_key="k", base_url="http://x", http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
    )
    with pytest.raises(openai.APIError) as caught:
        list(client.responses.create(model="m", input="Hi", stream=True))
    assert (caught.value.message, caught.value.code) == ("It broke.", "upstream_garbled")


def test_an_error_in_a_body_is_openais_error_object():
    body = json.loads(SPEECH.error_body(UpstreamGarbled("It broke.", param="input")))
    assert body == {
        "error": {"message": "It broke.", "type": "upstream_error", "param": "input", "code": "upstream_garbled"}
    }


finishes = st.sampled_from(["stop", "stop_sequence", "length", "tool_calls", "content_filter", "refusal", "pause"])


def cut(event, place):
    """The same as two events, where it is a delta."""
    if isinstance(event, ToolCallDelta):
        middle = place % (len(event.arguments) + 1)
        halves = [{"arguments": event.arguments[:middle]}, {"arguments": event.arguments[middle:]}]
    elif isinstance(event, TextDelta | RefusalDelta):
        middle = place % (len(event.text) + 1)
        halves = [{"text": event.text[:middle]}, {"text": event.text[middle:]}]
    else:
        return [event]
    return [msgspec.structs.replace(event, **half) for half in halves]


@settings(max_examples=150, deadline=None)
@given(st.lists(parts, max_size=6), finishes, st.integers(0, 9))
def test_what_is_streamed_is_what_is_told_whole(said, finish, place):
    request = parsed()
    answer = answer_of(*said, finish=finish, usage=Usage(input_tokens=3, output_tokens=5), model="m", created=7)
    whole = json.loads(SPEECH.render_answer(answer, request))
    in_pieces = [piece for event in events_of(answer) for piece in cut(event, place)]
    renderer = SPEECH.renderer(request)
    told = b"".join(renderer.render([event]) for event in in_pieces)
    last = events(told)[-1]["response"]
    assert anonymous(last) == anonymous(whole)
    assert reread(told)["output"] == last["output"]


def test_only_the_first_choice_is_told():
    answer = answer_of(Text(text="Hi"))
    both = type(answer)(choices=(*answer.choices, Choice(parts=(Text(text="Ho"),), finish="length", index=1)))
    response = json.loads(SPEECH.render_answer(both, parsed()))
    assert [item["content"][0]["text"] for item in response["output"]] == ["Hi"]
    assert response["status"] == "completed"
