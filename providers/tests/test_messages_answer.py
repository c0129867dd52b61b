"""Answers in the Messages dialect: whole, refused, and read by the vendor's own client."""

import json
from typing import Any

import httpx2
import pytest

from common.errors import (
    Conflict,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    OrchestratorError,
    PayloadTooLarge,
    PaymentRequired,
    PermissionDenied,
    RateLimited,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
    UpstreamGarbled,
    UpstreamTimeout,
)
from providers.tests.messages_speech import REQUEST, SPEECH, events, rendered, reread, streamed
from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
    Finished,
    RedactedThinking,
    Refusal,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.shapes import Usage

USAGE = Usage(input_tokens=100, output_tokens=50, cache_read_tokens=30, cache_write_tokens=20, reasoning_tokens=9)


def test_a_whole_answer_is_a_message():
    message = rendered(
        Thinking(text="Hm.", signature="proof"),
        RedactedThinking(encoded="c2VjcmV0"),
        Text(text="Hello"),
        Refusal(text="No."),
        ToolCall(id="call_1", name="f", arguments='{"b": 1.50, "a": [ ]}'),
        finish="tool_calls",
        usage=USAGE,
        id="msg_7",
        model="gpt",
    )
    assert message == {
        "id": "msg_7",
        "type": "message",
        "role": "assistant",
        "model": "gpt",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "proof"},
            {"type": "redacted_thinking", "data": "c2VjcmV0"},
            {"type": "text", "text": "Hello"},
            {"type": "text", "text": "No."},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"b": 1.5, "a": []}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 50,
            "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 30,
            "output_tokens": 50,
            "output_tokens_details": {"thinking_tokens": 9},
        },
    }


@pytest.mark.parametrize(
    ("finish", "parts", "reason"),
    [
        ("stop", (), "end_turn"),
        ("stop_sequence", (), "stop_sequence"),
        ("length", (), "max_tokens"),
        ("tool_calls", (), "tool_use"),
        ("content_filter", (), "refusal"),
        ("refusal", (), "refusal"),
        ("pause", (), "pause_turn"),
        ("stop", (ToolCall(id="c", name="f", arguments="{}"),), "tool_use"),
        ("length", (ToolCall(id="c", name="f", arguments="{}"),), "max_tokens"),
    ],
)
def test_a_finish_is_a_stop_reason(finish, parts, reason):
    assert rendered(*parts, finish=finish)["stop_reason"] == reason
    calls = [ToolCallStarted(call=n, id="c", name="f") for n, _ in enumerate(parts)]
    assert reread(streamed(*calls, Finished(finish=finish), Ended()))["stop_reason"] == reason


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", {}),
        (" \n", {}),
        ("null", {}),
        ('{"a":1}', {"a": 1}),
        ('{"a":', {"INVALID_JSON": '{"a":'}),
        ("[1]", {"INVALID_JSON": "[1]"}),
        ('{"a":' * 5_000, {"INVALID_JSON": '{"a":' * 5_000}),
    ],
)
def test_the_input_of_a_call_is_always_an_object(arguments, expected):
    [block] = rendered(ToolCall(id="c", name="f", arguments=arguments))["content"]
    assert block["input"] == expected


@pytest.mark.parametrize(
    ("given_id", "expected"), [("msg_1", "msg_1"), ("chatcmpl-9", "msg_9"), ("resp_1", "msg_resp_1")]
)
def test_a_message_has_an_id_of_its_kind(given_id, expected):
    assert rendered(id=given_id)["id"] == expected
    assert reread(streamed(Started(id=given_id), Ended()))["id"] == expected


def test_what_a_provider_left_out_is_made_up():
    message = rendered(Text(text="x"), ToolCall(id="", name="f", arguments=""))
    other = rendered(ToolCall(id="", name="f", arguments=""))
    assert message["model"] == "claude"
    assert message["id"].startswith("msg_")
    assert message["id"] != other["id"]
    assert message["content"][1]["id"].startswith("toolu_")
    assert message["usage"]["input_tokens"] == message["usage"]["output_tokens"] == 0
    assert json.loads(SPEECH.render_answer(Answer(choices=()), REQUEST))["content"] == []


def test_a_thought_needs_words_or_a_signature_and_a_text_needs_words():
    assert rendered(Text(text=""), Thinking(text=""), Refusal(text=""))["content"] == []
    assert rendered(Thinking(text="x"), Thinking(text="", signature="y"))["content"] == [
        {"type": "thinking", "thinking": "x", "signature": ""},
        {"type": "thinking", "thinking": "", "signature": "y"},
    ]


def test_parts_of_usage_never_exceed_the_input():
    usage = Usage(input_tokens=10, cache_read_tokens=8, cache_write_tokens=8)
    assert rendered(usage=usage)["usage"]["input_tokens"] == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("x"), "invalid_request_error"),
        (MethodNotAllowed("x"), "invalid_request_error"),
        (Unauthenticated("x"), "authentication_error"),
        (PaymentRequired("x"), "billing_error"),
        (PermissionDenied("x"), "permission_error"),
        (NotFound("x"), "not_found_error"),
        (RequestTimeout("x"), "timeout_error"),
        (Conflict("x"), "conflict_error"),
        (PayloadTooLarge("x"), "request_too_large"),
        (RateLimited("x"), "rate_limit_error"),
        (OrchestratorError("x"), "api_error"),
        (UpstreamGarbled("x"), "api_error"),
        (Unavailable("x"), "overloaded_error"),
        (UpstreamTimeout("x"), "timeout_error"),
        (UpstreamGarbled("x", status=529), "overloaded_error"),
    ],
)
def test_an_error_has_anthropics_type_and_our_code(error, kind):
    told = json.loads(SPEECH.error_body(error))
    assert (told["type"], told["error"]["type"], told["error"]["code"]) == ("error", kind, error.code)
    [event] = events(SPEECH.error_event(error))
    assert event == told


def test_an_error_names_the_field():
    told = json.loads(SPEECH.error_body(InvalidRequest("model: Field required", param="model")))["error"]
    assert (told["message"], told["param"]) == ("model: Field required", "model")


def test_the_vendors_own_client_reads_what_is_rendered():
    anthropic = pytest.importorskip("anthropic")
    answered = (
        Thinking(text="Hm.", signature="proof"),
        Text(text="Hello"),
        ToolCall(id="c", name="f", arguments='{"a":[1]}', signature="gem"),
    )
    told: list[Event] = [
        Started(id="msg_1", model="gpt"),
        ThinkingDelta(text="Hm.", signature="proof"),
        TextDelta(text="Hello"),
        ToolCallStarted(call=0, id="c", name="f", signature="gem"),
        ToolCallDelta(call=0, arguments='{"a":[1]}'),
        Finished(finish="tool_calls"),
        Used(usage=USAGE),
        Ended(),
    ]

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked = SPEECH.parse_request(request.content)
        if asked.model == "none":
            return httpx2.Response(404, content=SPEECH.error_body(NotFound("no such model")))
        if asked.model == "broken":
            body = streamed(TextDelta(text="Hel")) + SPEECH.error_event(Unavailable("gone"))
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
        if asked.stream:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=streamed(*told))
        choice = Choice(parts=answered, finish="tool_calls")
        body = SPEECH.render_answer(Answer(choices=(choice,), id="msg_1", model="gpt", usage=USAGE), asked)
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)

    client = anthropic.Anthropic(
        api_key="x", max_retries=0, http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
    )
    asking: dict[str, Any] = {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    whole = client.messages.create(model="m", **asking)
    with client.messages.stream(model="m", **asking) as stream:
        assert stream.get_final_message().to_dict() == whole.to_dict()
    anthropic.types.Message.model_validate(whole.to_dict(), strict=True)
    assert whole.content[-1].input == {"a": [1]}
    assert whole.stop_reason == "tool_use"
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model="none", **asking)
    assert (caught.value.type, caught.value.error_code) == ("not_found_error", "not_found")
    with (
        pytest.raises(anthropic.APIStatusError, match="gone"),
        client.messages.stream(model="broken", **asking) as stream,
    ):
        stream.until_done()
