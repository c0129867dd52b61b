"""An answer in two halves by two providers, on the bytes of both."""

import json
from typing import Any

import pytest

from common.errors import InvalidRequest
from providers.wire.registry import SPEECHES, spoken
from providers.wire.resuming import Resuming, resuming, said_of
from providers.wire.shapes import Target

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}


def target(wire="openai"):
    return Target(
        provider="p", provider_scope="tenant", wire=wire, base_url="http://h", model="m", headers=(), price=None
    )


def request(dialect="chat", **more):
    return SPEECHES[dialect].parse_request(json.dumps({**ASKED, **more}).encode())


def delta(name="first", reason=None, **fields):
    choice = {"index": 0, "delta": fields, "finish_reason": reason}
    event = {"id": name, "object": "chat.completion.chunk", "created": 7, "model": name, "choices": [choice]}
    return f"data: {json.dumps(event)}\n\n".encode()


def said(received, asked=None):
    asked = asked or request()
    parser = spoken(asked, target()).parse_stream(asked)
    parser.feed(received)
    found = said_of(asked, target(), received, parser)
    assert found is not None
    return found


def rest(mode, begun, *pieces, asked=None):
    """What the caller gets of the second half: the text, and how it failed if it did."""
    stream = resuming(begun, asked or request(), target(), mode).parse_stream(asked or request())
    chunks = [chunk for piece in pieces for chunk in stream.feed(piece)] + stream.close()
    failures = [chunk.error for chunk in chunks if chunk.error is not None]
    shown = [
        json.loads(each[6:]) for chunk in chunks for each in chunk.raw.split(b"\n\n") if each.startswith(b"data: {")
    ]
    assert {(each["id"], each["created"], each["model"]) for each in shown} <= {("first", 7, "first")}
    choices = [choice for each in shown for choice in each["choices"]]
    assert not [choice for choice in choices if "role" in choice["delta"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices), failures


HALF = delta(role="assistant", content="one ") + delta(content="two ")


@pytest.mark.parametrize(
    "pieces",
    [
        ("three",),
        (" three",),
        (" ", "three"),
        ("", " t", "hree"),
    ],
)
def test_after_a_prefill_only_its_white_space_is_said_again(pieces):
    later = [delta("second", content=piece) for piece in pieces]
    text, failures = rest("continue", said(HALF), delta("second", role="assistant"), *later)
    assert (text, failures) == ("three", [])


@pytest.mark.parametrize(
    "pieces", [("one two three",), ("one ", "two ", "three"), ("o", "ne two t", "hree"), ("one two ", "", "three")]
)
def test_an_answer_anew_is_shown_from_where_the_first_stopped(pieces):
    later = [delta("second", content=piece) for piece in pieces]
    text, failures = rest("restart", said(HALF), delta("second", role="assistant"), *later)
    assert (text, failures) == ("three", [])


@pytest.mark.parametrize("pieces", [("two",), ("one Two three",), ("one ", "three"), ("One two three",)])
def test_an_answer_that_says_something_else_is_refused_before_any_of_it_is_seen(pieces):
    text, [failure] = rest("restart", said(HALF), *(delta("second", content=piece) for piece in pieces))
    assert (text, failure.code) == ("", "upstream_diverged")


def test_an_answer_that_is_over_before_it_has_said_what_was_said_is_refused():
    text, [failure] = rest("restart", said(HALF), delta("second", content="one "), delta("second", "stop"))
    assert (text, failure.code) == ("", "upstream_diverged")


def test_a_call_of_a_tool_after_the_same_words_belongs_to_the_answer():
    begun = said(HALF)
    stream = resuming(begun, request(), target(), "restart").parse_stream(request())
    chunks = stream.feed(delta("second", content="one two ") + delta("second", tool_calls=[CALL]))
    assert b'"tool_calls"' in b"".join(chunk.raw for chunk in chunks)
    assert not [chunk for chunk in chunks if chunk.error]
    # From there on nobody may take it up once more.
    assert begun.hindrance == "tool_call"


@pytest.mark.parametrize(
    ("received", "hindrance"),
    [
        (HALF, ""),
        (HALF + delta(tool_calls=[CALL]), "tool_call"),
        (HALF + delta(refusal="I will not"), "refusal"),
        (HALF + delta(reason="stop"), "finished"),
        (HALF + b'data: {"choices":[{"ind\n\n', ""),
        (HALF + delta(content="three")[:-20], ""),
    ],
)
def test_what_has_come_decides_whether_anybody_may_go_on(received, hindrance):
    found = said(received)
    assert (found.text, found.hindrance) == ("one two ", hindrance)


@pytest.mark.parametrize(
    ("asked", "hindrance"),
    [
        ({"n": 2}, "several_choices"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "structured_output"),
    ],
)
def test_so_does_what_was_asked_for_also_by_the_next_targets_own_parameters(asked, hindrance):
    assert said(HALF, request(**asked)).hindrance == hindrance
    own = resuming(said(HALF), request(**asked), target(), "restart")
    with pytest.raises(InvalidRequest) as refusal:
        own.build_request(request(**asked), target())
    assert refusal.value.code == "no_continuation"


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_the_next_target_gets_its_own_parameters_and_what_was_said(wire):
    begun = said(HALF)
    made: Resuming = resuming(begun, request(), target(wire), "continue")
    sent = json.loads(made.build_request(request(temperature=0.25), target(wire)).body)
    assert sent["temperature"] == 0.25
    assert sent["stream"] is True
    last = sent["messages"][-1]
    assert last["role"] == "assistant"
    content = last["content"]
    assert (content if isinstance(content, str) else content[0]["text"]) == "one two"


def test_what_the_caller_itself_had_begun_comes_first():
    begun = [*ASKED["messages"], {"role": "assistant", "content": "zero "}]
    asked = request(messages=begun)
    made = resuming(said(HALF, asked), asked, target(), "continue")
    messages = json.loads(made.build_request(asked, target()).body)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert "zero one two" in json.dumps(messages[-1]).replace('"}, {"type": "text", "text": "', "")


@pytest.mark.parametrize(("mode", "limit"), [("continue", 91), ("restart", 100)])
def test_who_goes_on_may_say_what_is_left_of_the_limit(mode, limit):
    asked = request(max_tokens=100)
    begun = said(delta(content="word " * 8), asked)
    sent = json.loads(resuming(begun, asked, target(), mode).build_request(asked, target()).body)
    assert sent.get("max_completion_tokens", sent.get("max_tokens")) == limit
