"""An answer as the Responses API tells it whole, which the official SDK's own types take."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.tests.responses_speech import FUNCTION, PROBE, SPEECH, answer_of, parsed, parts, prompted, rendered
from providers.wire.assembly import answer_of as assembled
from providers.wire.assembly import events_of
from providers.wire.neutral import Answer, RedactedThinking, Refusal, Text, Thinking, ToolCall
from providers.wire.shapes import Usage

USAGE = Usage(input_tokens=20, output_tokens=9, cache_read_tokens=5, cache_write_tokens=3, reasoning_tokens=4)
LOGPROB = {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "Hi", "logprob": -0.5}]}


def test_a_text_is_a_message():
    response = rendered(Text(text="Hello"), usage=USAGE, model="claude", created=1_700_000_000)
    assert response["object"] == "response"
    assert response["id"].startswith("resp_")
    assert (response["status"], response["error"], response["incomplete_details"]) == ("completed", None, None)
    assert (response["model"], response["created_at"]) == ("claude", 1_700_000_000)
    (message,) = response["output"]
    assert message.pop("id").startswith("msg_")
    assert message == {
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}],
    }
    assert response["usage"] == {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 3},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 29,
    }


def test_ids_are_ours_whatever_the_provider_calls_its_answer():
    first, second = (rendered(Text(text="Hi"), id="chatcmpl-1") for _ in range(2))
    assert first["id"] != second["id"]
    assert first["output"][0]["id"] != second["output"][0]["id"]


def test_thoughts_calls_and_refusals_are_items_in_their_order():
    response = rendered(
        Thinking(text="Hm", signature="proof"),
        RedactedThinking(encoded="xyz"),
        Text(text="So"),
        Refusal(text="No"),
        ToolCall(id="c1", name="f", arguments="{}", signature="seal"),
        ToolCall(id="", name="g", arguments=""),
        finish="tool_calls",
    )
    kinds = [(item["type"], item.get("encrypted_content")) for item in response["output"]]
    assert kinds == [
        ("reasoning", "proof"),
        ("reasoning", "redacted_thinking:xyz"),
        ("message", None),
        ("reasoning", "tool_call:seal"),
        ("function_call", None),
        ("function_call", None),
    ]
    assert response["output"][0]["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert [part["type"] for part in response["output"][2]["content"]] == ["output_text", "refusal"]
    first, second = response["output"][4:]
    assert (first["call_id"], first["name"], first["arguments"], first["status"]) == ("c1", "f", "{}", "completed")
    assert second["call_id"].startswith("call_")
    assert len({item["id"] for item in response["output"]}) == 6


@pytest.mark.parametrize(
    ("parts", "finish", "status", "reason", "last"),
    [
        ((Text(text="a"),), "stop", "completed", None, "completed"),
        ((Text(text="a"),), "stop_sequence", "completed", None, "completed"),
        ((Text(text="a"),), "pause", "completed", None, "completed"),
        ((Text(text="a"),), "length", "incomplete", "max_output_tokens", "incomplete"),
        ((Text(text="a"),), "content_filter", "incomplete", "content_filter", "incomplete"),
        ((Text(text="a"),), "refusal", "incomplete", "content_filter", "incomplete"),
        ((Refusal(text="No"),), "refusal", "completed", None, "completed"),
        (
            (ToolCall(id="c", name="f", arguments="{"), Text(text="a")),
            "length",
            "incomplete",
            "max_output_tokens",
            "incomplete",
        ),
    ],
)
def test_how_an_answer_ends(parts, finish, status, reason, last):
    response = rendered(*parts, finish=finish)
    assert response["status"] == status
    assert (response["incomplete_details"] or {}).get("reason") == reason
    assert response["output"][-1]["status"] == last
    assert {item["status"] for item in response["output"][:-1]} <= {"completed"}
    assert (response["completed_at"] is None) == (status == "incomplete")


def test_what_was_asked_for_is_repeated():
    asked = {
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 100,
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "previous_response_id": "resp_1",
        "store": False,
        "user": "u",
        "truncation": "disabled",
        "service_tier": "flex",
    }
    request = parsed(tools=[FUNCTION], text={"verbosity": "low"}, reasoning={"effort": "low"}, **asked)
    response = rendered(Text(text="Hi"), request=request)
    assert {name: response[name] for name in asked} == asked
    assert response["tools"] == [{**FUNCTION, "description": None}]
    assert response["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert response["reasoning"] == {"effort": "low", "summary": None}


def test_what_was_not_asked_for_is_told_by_its_default():
    response = rendered(Text(text="Hi"))
    told = {
        name: response[name] for name in ("tools", "tool_choice", "parallel_tool_calls", "metadata", "text", "store")
    }
    assert told == {
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "metadata": {},
        "text": {"format": {"type": "text"}},
        "store": True,
    }
    assert response["usage"] is None


def test_log_probabilities_are_told_with_their_bytes():
    raw = json.dumps({"content": [LOGPROB]}).encode()
    response = rendered(Text(text="Hi"), logprobs=raw)
    told = [{**LOGPROB, "bytes": [72, 105], "top_logprobs": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}]}]
    assert response["output"][0]["content"][0]["logprobs"] == told
    for unreadable in (b'{"content": null}', b'{"content": [{}]}', b"[]"):
        assert rendered(Text(text="Hi"), logprobs=unreadable)["output"][0]["content"][0]["logprobs"] == []


def test_an_answer_without_words_is_a_response_without_output():
    assert rendered()["output"] == []
    assert json.loads(SPEECH.render_answer(Answer(choices=()), parsed()))["output"] == []


@settings(max_examples=150, deadline=None)
@given(st.lists(parts, min_size=1, max_size=6))
def test_what_was_answered_can_be_sent_back_unchanged(said):
    """Parts of one kind in a row are one part, as they would be in a stream."""
    answer = answer_of(*said)
    output = json.loads(SPEECH.render_answer(answer, parsed()))["output"]
    prompt = prompted(input=[*PROBE, *output])
    assert [message.parts for message in prompt.messages[1:]] == [assembled(events_of(answer)).choices[0].parts]
    assert prompt.others == {}
