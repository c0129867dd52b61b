import msgspec
import pytest

from common.errors import UpstreamError, UpstreamTimeout
from providers.wire.gemini.adapter import GeminiWire

WIRE = GeminiWire()
PLACE = "type.googleapis.com/google.rpc."
RETRY = {"@type": PLACE + "RetryInfo", "retryDelay": "34.5s"}
INVALID_KEY = {"@type": PLACE + "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
WRONG_FIELD = {"@type": PLACE + "BadRequest", "fieldViolations": [{"field": "generation_config.top_k"}]}


def told(code: int, status: str, message: str, *details: object) -> bytes:
    return msgspec.json.encode(
        {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    )


@pytest.mark.parametrize(
    ("status", "body", "shown", "code", "message"),
    [
        (400, told(400, "INVALID_ARGUMENT", "Unknown name"), 400, "upstream_refused", "Unknown name"),
        (404, told(404, "NOT_FOUND", "models/x is not found"), 404, "upstream_refused", "models/x is not found"),
        (
            400,
            told(400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum number of tokens"),
            400,
            "context_length_exceeded",
            "The input token count (2000000) exceeds the maximum number of tokens",
        ),
        (400, told(400, "INVALID_ARGUMENT", "Wrong.", INVALID_KEY), 502, "upstream_credential", None),
        (400, told(400, "INVALID_ARGUMENT", "API key not valid."), 502, "upstream_credential", None),
        (400, told(400, "FAILED_PRECONDITION", "No free tier here."), 502, "upstream_credential", None),
        (403, told(403, "PERMISSION_DENIED", "No."), 502, "upstream_credential", None),
        (429, told(429, "RESOURCE_EXHAUSTED", "Quota.", RETRY), 429, "rate_limit_exceeded", None),
        (500, told(500, "INTERNAL", "Oops."), 502, "upstream_refused", None),
        (503, told(503, "UNAVAILABLE", "Overloaded."), 503, "upstream_unavailable", None),
        (400, b"<html>", 400, "upstream_refused", "The provider refused the request with status 400."),
        (400, b'{"error":[]}', 400, "upstream_refused", "The provider refused the request with status 400."),
        (400, b"[" * 100_000, 400, "upstream_refused", "The provider refused the request with status 400."),
        (400, b'[{"error":{"message":"In an array"}}]', 400, "upstream_refused", "In an array"),
    ],
)
def test_errors_of_the_request_are_passed_on_and_others_told_in_our_words(status, body, shown, code, message):
    error = WIRE.parse_error(status, {}, body)
    assert (error.status, error.code) == (shown, code)
    if message is not None:
        assert error.message == message
    else:
        assert error.message.startswith("The ")


def test_a_deadline_is_a_timeout():
    assert isinstance(WIRE.parse_error(504, {}, told(504, "DEADLINE_EXCEEDED", "Too slow.")), UpstreamTimeout)


def test_how_long_to_wait_is_told_by_the_header_or_the_details():
    body = told(429, "RESOURCE_EXHAUSTED", "Quota.", RETRY)
    assert WIRE.parse_error(429, {}, body).retry_after == 34.5
    assert WIRE.parse_error(429, {"retry-after": "7"}, body).retry_after == 7


@pytest.mark.parametrize("delay", ["soon", 5, "-3s", "1e9s", None])
def test_an_odd_delay_is_none(delay):
    assert WIRE.parse_error(429, {}, told(429, "X", "", {"retryDelay": delay})).retry_after is None


def test_the_field_that_google_blames_is_named():
    assert WIRE.parse_error(400, {}, told(400, "X", "", WRONG_FIELD)).param == "generation_config.top_k"


def test_a_key_is_never_shown():
    error = WIRE.parse_error(400, {}, told(400, "INVALID_ARGUMENT", "Bad AIzaSyA1234567890 here"))
    assert "AIza" not in error.message


@pytest.mark.parametrize(
    ("body", "shown", "code"),
    [
        (b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}', 429, "rate_limit_exceeded"),
        (b'{"error":{"code":1,"message":"?"}}', 502, "upstream_refused"),
        (b'{"error":"oops"}', 502, "upstream_refused"),
        (b'{"error":{"code":400,"message":"No such field"}}', 400, "upstream_refused"),
    ],
)
def test_an_error_inside_an_answer_is_raised(body, shown, code):
    with pytest.raises(UpstreamError) as raised:
        WIRE.read_answer(body)
    assert (raised.value.status, raised.value.code) == (shown, code)
