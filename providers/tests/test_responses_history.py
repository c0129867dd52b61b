"""Requests that follow an earlier response."""

import json

import pytest

from common.errors import InvalidRequest
from providers.tests.responses_speech import FUNCTION, SPEECH, answer_of, parsed, streamed
from providers.wire.neutral import Finished, Message, Started, Text, TextDelta, Thinking, ToolCall, ToolResult
from providers.wire.responses.history import StoredResponse, response_within, stored_of, with_history

RESULT = {"type": "function_call_output", "call_id": "c1", "output": "4"}


def answered(request, *parts):
    return stored_of(request, SPEECH.render_answer(answer_of(*parts), request))


def test_a_request_follows_what_was_said_before_without_its_instructions():
    first = answered(parsed(input="2+2?", instructions="Be brief."), ToolCall(id="c1", name="f", arguments="{}"))
    second = with_history(parsed(input=[RESULT], previous_response_id=first.id, tools=[FUNCTION]), first)
    assert SPEECH.prompt_of(second).messages == (
        Message(role="user", parts=(Text(text="2+2?"),)),
        Message(role="assistant", parts=(ToolCall(id="c1", name="f", arguments="{}"),)),
        Message(role="tool", parts=(ToolResult(call_id="c1", parts=(Text(text="4"),)),)),
    )
    assert SPEECH.prompt_of(second).others == {}
    assert json.loads(SPEECH.render_answer(answer_of(), second))["previous_response_id"] == first.id


def test_each_response_is_kept_with_the_whole_conversation():
    first = answered(parsed(input="One"), Thinking(text="Hm", signature="proof"), Text(text="Two"))
    second = answered(with_history(parsed(input="Three"), first), Text(text="Four"))
    third = with_history(parsed(input="Five"), second)
    said = [(message.role, message.parts[-1]) for message in SPEECH.prompt_of(third).messages]
    assert said == [
        ("user", Text(text="One")),
        ("assistant", Text(text="Two")),
        ("user", Text(text="Three")),
        ("assistant", Text(text="Four")),
        ("user", Text(text="Five")),
    ]


def test_what_comes_with_a_request_counts_as_sent():
    first = answered(parsed(input="One"), Text(text="Two" * 1000))
    fresh = parsed(input="Three")
    followed = with_history(fresh, first)
    grown = len(bytes(followed.fields["input"])) - len(bytes(fresh.fields["input"]))
    assert grown > 3000
    assert followed.input_bytes == fresh.input_bytes + grown


@pytest.mark.parametrize("nothing", [{"input": None}, {"input": []}, {"input": ""}])
def test_there_may_be_nothing_new(nothing):
    first = answered(parsed(input="One"), Text(text="Two"))
    followed = with_history(parsed(previous_response_id=first.id, **nothing), first)
    assert len(SPEECH.prompt_of(followed).messages) == 2


def test_what_is_wrong_with_the_new_input_is_named_by_its_own_path():
    first = answered(parsed(input="One"), Text(text="Two"))
    with pytest.raises(InvalidRequest) as caught:
        with_history(parsed(input=[{"role": "user", "content": 1}]), first)
    assert caught.value.param == "input[0].content"


def test_a_conversation_does_not_grow_without_end():
    first = answered(parsed(input="One"), Text(text="Two" * 400))
    with pytest.raises(InvalidRequest) as caught:
        with_history(parsed(input="Three"), first, longest=1000)
    assert caught.value.param == "previous_response_id"


def test_the_whole_response_is_found_at_the_end_of_a_stream():
    request = parsed()
    for finish in ("stop", "length"):
        told = streamed(
            Started(model="m"), TextDelta(text="event: response.completed\ndata: {}"), Finished(finish=finish)
        )
        found = response_within(told)
        assert found is not None
        assert stored_of(request, found).id == json.loads(found)["id"]
        assert json.loads(found)["output"][0]["content"][0]["text"].startswith("event: ")
    assert response_within(b"event: error\ndata: {}\n\n") is None
    assert response_within(b"") is None


def test_what_is_kept_is_json_as_it_was_told():
    request = parsed(input="One")
    rendered = SPEECH.render_answer(answer_of(Text(text="\0 ü")), request)
    stored = stored_of(request, rendered)
    items = [{"type": "message", "role": "user", "content": "One"}]
    assert (stored.response, json.loads(stored.items)) == (rendered, items)
    assert stored == StoredResponse(id=json.loads(rendered)["id"], items=stored.items, response=rendered)
