import json

import pytest

from common.errors import UpstreamGarbled, UpstreamRefused, UpstreamTimeout
from providers.tests.recordings import ANTHROPIC
from providers.wire.anthropic.adapter import AnthropicWire
from providers.wire.anthropic.count import read_count

WIRE = AnthropicWire()
OURS = {
    401: "The provider did not accept the platform's credential.",
    402: "The credential's quota at the provider is used up.",
    429: "The provider's rate limit was reached.",
    529: "The provider is overloaded or down.",
}


def body(kind: str, message: str, **more: object) -> bytes:
    error = {"type": kind, "message": message, **more}
    return json.dumps({"type": "error", "error": error, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}).encode()


@pytest.mark.parametrize(
    ("status", "kind", "message", "shown", "code", "param"),
    [
        (400, "invalid_request_error", "messages.0.role: Input should be 'user'", 400, None, "messages.0.role"),
        (400, "invalid_request_error", "max_tokens: Field required", 400, "invalid_request_error", "max_tokens"),
        (400, "invalid_request_error", "`temperature` is deprecated for this model.", 400, None, None),
        (400, "invalid_request_error", "prompt is too long: 215000 tokens > 200000 maximum", 400, "length", None),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 9 + 9 > 10",
            400,
            "length",
            None,
        ),
        (404, "not_found_error", "model: claude-99", 404, "not_found_error", "model"),
        (409, "conflict_error", "busy", 409, "conflict_error", None),
        (
            413,
            "request_too_large",
            "Request exceeds the maximum allowed number of bytes.",
            413,
            "request_too_large",
            None,
        ),
    ],
)
def test_what_is_wrong_with_the_request_is_told_in_the_vendors_words(status, kind, message, shown, code, param):
    error = WIRE.parse_error(status, {}, body(kind, message))
    assert (error.status, error.message, error.param) == (shown, message, param)
    assert error.code == ("context_length_exceeded" if code == "length" else code or kind)


@pytest.mark.parametrize(
    ("status", "kind", "message", "words", "shown", "code"),
    [
        (401, "authentication_error", "invalid x-api-key sk-ant-secretsecret", 401, 502, "upstream_credential"),
        (403, "permission_error", "Your API key may not use it", 401, 502, "upstream_credential"),
        (402, "billing_error", "There's an issue with billing", 402, 502, "upstream_quota"),
        (400, "invalid_request_error", "Your credit balance is too low to access the API.", 402, 502, "upstream_quota"),
        (400, "invalid_request_error", "You have reached your specified API usage limits.", 402, 502, "upstream_quota"),
        (400, "invalid_request_error", "This organization has been disabled.", 401, 502, "upstream_credential"),
        (429, "rate_limit_error", "This request would exceed your rate limit", 429, 429, "rate_limit_exceeded"),
        (529, "overloaded_error", "Overloaded", 529, 503, "upstream_unavailable"),
    ],
)
def test_what_is_wrong_with_the_platform_is_told_in_ours(status, kind, message, words, shown, code):
    error = WIRE.parse_error(status, {}, body(kind, message))
    assert (error.message, error.status, error.code) == (OURS[words], shown, code)


def test_a_spend_limit_is_a_quota_whatever_it_is_said_with():
    details = {"error_code": "enforced_spend_limit_reached"}
    error = WIRE.parse_error(429, {}, body("rate_limit_error", "no more", details=details))
    assert (error.status, error.code) == (502, "upstream_quota")


def test_the_code_of_the_details_is_the_finer_one():
    details = {"error_code": "image_dimensions_too_large"}
    error = WIRE.parse_error(400, {}, body("invalid_request_error", "too large", details=details))
    assert error.code == "image_dimensions_too_large"


def test_the_vendor_says_when_to_come_back():
    error = WIRE.parse_error(429, {"retry-after": "12"}, body("rate_limit_error", "slow down"))
    assert error.retry_after == 12


def test_a_timeout_is_a_timeout():
    assert isinstance(WIRE.parse_error(504, {}, body("timeout_error", "late")), UpstreamTimeout)


@pytest.mark.parametrize(
    "sent", [b"", b"<html>413</html>", b"[]", b'{"error":5}', b'{"error":{"type":5}}', b'{"type":"error"}', b"\xff"]
)
def test_bodies_that_cannot_be_read_leave_the_status(sent):
    error = WIRE.parse_error(413, {}, sent)
    assert (error.status, error.message) == (413, "The provider refused the request with status 413.")


def test_a_proxys_error_is_read_in_its_own_shape():
    error = WIRE.parse_error(422, {}, b'{"detail":[{"loc":["body","messages"],"msg":"field required"}]}')
    assert (error.message, error.param) == ("field required", "messages")


@pytest.mark.parametrize("read", [WIRE.parse_response, WIRE.read_answer, read_count])
def test_an_error_inside_a_whole_answer_is_raised(read):
    with pytest.raises(UpstreamRefused) as caught:
        read(body("overloaded_error", "Overloaded"))
    assert caught.value.status == 503


@pytest.mark.parametrize("read", [WIRE.parse_response, WIRE.read_answer, read_count])
@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"5", b"{}", b'{"content":5}', b'{"input_tokens":-1}', b"\xff"])
def test_what_is_no_answer_is_garbled(read, sent):
    with pytest.raises(UpstreamGarbled):
        read(sent)


def test_arguments_that_cannot_be_read_are_garbled():
    with pytest.raises(UpstreamGarbled, match="arguments"):
        WIRE.read_answer(b'{"content":[{"type":"tool_use","id":"t","name":"f","input":{"a":"\xff"}}]}')


def test_a_count_is_a_number():
    assert read_count(b'{"input_tokens":14}') == 14


@pytest.mark.parametrize("name", ANTHROPIC.names)
def test_a_whole_answer_is_finished_and_as_it_came(name):
    chunk = WIRE.parse_response(ANTHROPIC.whole(name))
    assert (chunk.raw, chunk.finished, chunk.done, chunk.error) == (ANTHROPIC.whole(name), True, True, None)
    assert chunk.usage is not None


@pytest.mark.parametrize(
    ("name", "finish"),
    [
        ("text", "stop"),
        ("parallel_calls", "tool_calls"),
        ("max_tokens", "length"),
        ("context_window", "length"),
        ("stop_sequence", "stop_sequence"),
        ("refusal", "refusal"),
        ("paused", "pause"),
    ],
)
def test_reasons_to_stop_have_our_names(name, finish):
    assert WIRE.parse_response(ANTHROPIC.whole(name)).finish_reason == finish
    assert WIRE.read_answer(ANTHROPIC.whole(name)).choices[0].finish == finish
