import json
import random
from typing import Any

import pytest

from common.errors import UpstreamError, UpstreamGarbled, UpstreamRefused
from providers.tests.recordings import OPENAI
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.response import parse_response
from providers.wire.shapes import Usage


def test_a_whole_answer_is_one_finished_chunk():
    chunk = parse_response(OPENAI.whole("openai_text"))
    assert chunk.raw == OPENAI.whole("openai_text")
    assert (chunk.finished, chunk.done, chunk.finish_reason) == (True, True, "stop")
    assert chunk.text.startswith("Grüße")
    assert chunk.usage == Usage(input_tokens=1312, output_tokens=14, cache_read_tokens=1024)


def test_text_holds_all_that_was_generated():
    assert "get_weather" in parse_response(OPENAI.whole("openai_tools")).text
    assert '"Bern"' in parse_response(OPENAI.whole("openai_tools")).text
    assert parse_response(OPENAI.whole("openai_refusal")).text.startswith("I'm sorry")
    assert parse_response(OPENAI.whole("vllm_reasoning")).text == "First, count.Four legs"
    assert parse_response(OPENAI.whole("mistral_thinking")).text == "Let me add.It is 4."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"5",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":"x"}',
        b'{"id":"x","choices":[{"mess',
        b"\xff\xfe",
    ],
)
def test_bytes_that_are_no_answer_are_garbled(body):
    with pytest.raises(UpstreamGarbled):
        parse_response(body)


@pytest.mark.parametrize("name", OPENAI.names)
def test_every_truncated_answer_is_garbled(name):
    body = OPENAI.whole(name)
    for length in range(0, len(body) - 1, 17):
        with pytest.raises(UpstreamGarbled):
            parse_response(body[:length])


def test_an_error_with_status_200_is_still_an_error():
    with pytest.raises(UpstreamRefused) as refusal:
        parse_response(b'{"error":{"message":"no capacity","code":503}}')
    assert refusal.value.status == 503


def test_ten_thousand_broken_answers_raise_only_upstream_errors():
    chance = random.Random(11)
    for _ in range(10_000):
        wire_bytes = bytearray(OPENAI.whole(chance.choice(OPENAI.names)))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(wire_bytes))
            wire_bytes[place : place + chance.randrange(4)] = bytes(chance.choices(b'\x00"{}[]:,\\0e-ntf', k=2))
        try:
            parse_response(bytes(wire_bytes))
        except UpstreamError:
            continue


def error(status, body=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return OpenAIWire().parse_error(status, named, body)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_what_is_wrong_with_the_request_is_told_in_the_vendors_words(status):
    body = b'{"error":{"message":"Bad tool","type":"invalid_request_error","param":"tools[0]","code":"invalid_tool"}}'
    refused = error(status, body)
    assert isinstance(refused, UpstreamRefused)
    assert (refused.status, refused.message, refused.param, refused.code) == (
        status,
        "Bad tool",
        "tools[0]",
        "invalid_tool",
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_not_quoted(status):
    refused = error(
        status, b'{"error":{"message":"Incorrect API key provided: sk-abc123456","code":"invalid_api_key"}}'
    )
    assert (refused.status, refused.code) == (502, "upstream_credential")
    assert "sk-abc" not in refused.message


@pytest.mark.parametrize(
    ("status", "body", "expected", "code"),
    [
        (429, b'{"error":{"code":"rate_limit_exceeded","message":"org-123"}}', 429, "rate_limit_exceeded"),
        (429, b'{"error":{"code":"insufficient_quota"}}', 502, "upstream_quota"),
        (402, b"", 502, "upstream_quota"),
        (500, b"<html>", 502, "upstream_refused"),
        (502, b"", 502, "upstream_refused"),
        (503, b"", 503, "upstream_unavailable"),
        (529, b"", 503, "upstream_unavailable"),
        (504, b"", 504, "upstream_timeout"),
        (405, b"", 502, "upstream_refused"),
        (307, b"", 502, "upstream_refused"),
        (400, b"not json", 400, "upstream_refused"),
    ],
)
def test_statuses_become_the_designed_errors(status, body, expected, code):
    told = error(status, body)
    assert isinstance(told, UpstreamError)
    assert (told.status, told.code) == (expected, code)
    assert "org-123" not in told.message


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        (
            b'{"object":"error","message":"This model\'s maximum context length is 4096 tokens.","code":400}',
            "This model's maximum context length is 4096 tokens.",
            None,
            "context_length_exceeded",
        ),
        (b'{"error":{"message":"x","code":"context_length_exceeded"}}', "x", None, "context_length_exceeded"),
        (b'{"error":{"message":"x","code":"content_filter"}}', "x", None, "content_filter"),
        (
            b'{"detail":[{"loc":["body","messages",0,"role"],"msg":"field required"}]}',
            "field required",
            "messages.0.role",
            "upstream_refused",
        ),
        (b'{"detail":"Not Found"}', "Not Found", None, "upstream_refused"),
        (b'{"error":"model \\"x\\" not found"}', 'model "x" not found', None, "upstream_refused"),
        (b'[{"error":{"message":"in a list"}}]', "in a list", None, "upstream_refused"),
        (b'{"message":"plain","request_id":"1"}', "plain", None, "upstream_refused"),
        (b'{"error":{"message":"key sk-proj-abcdef123 used"}}', "key [redacted] used", None, "upstream_refused"),
    ],
)
def test_every_shape_of_error_body_is_read(body, message, param, code):
    told = error(400, body)
    assert (told.message, told.param, told.code) == (message, param, code)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "7", "retry_after_ms": "250"}, 0.25),
        ({"retry_after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry_after": "Sat, 21 Nov 2026 09:00:30 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry_after": "Sat, 21 Nov 2026 10:00:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "999999999"}, 86_400.0),
        ({}, None),
    ],
)
def test_the_time_to_wait_is_read(headers, seconds):
    assert error(429, b"", **headers).retry_after == seconds
    assert error(503, b"", **headers).retry_after == seconds


def reported(prompt: int, completion: int, total: int, reasoning: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


@pytest.mark.parametrize(
    ("counted", "usage"),
    [
        # The total of xAI holds the thought, which its completion leaves out.
        (
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            Usage(input_tokens=32, output_tokens=103, reasoning_tokens=94),
        ),
        (
            {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623},
            Usage(input_tokens=20, output_tokens=603, reasoning_tokens=405),
        ),
        (
            {
                "prompt_tokens": 20,
                "completion_tokens": 50,
                "total_tokens": 70,
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            Usage(input_tokens=20, output_tokens=50, reasoning_tokens=40),
        ),
        (
            {
                "prompt_tokens": 20,
                "completion_tokens": 50,
                "total_tokens": 99,
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
            Usage(input_tokens=20, output_tokens=50, reasoning_tokens=40),
        ),
        (
            {"prompt_tokens": 20, "completion_tokens": 5, "prompt_cache_hit_tokens": 12, "prompt_cache_miss_tokens": 8},
            Usage(input_tokens=20, output_tokens=5, cache_read_tokens=12),
        ),
        ({"prompt_tokens": 20, "cached_tokens": 12.0}, Usage(input_tokens=20, cache_read_tokens=12)),
        (
            {
                "prompt_tokens": 20,
                "prompt_tokens_details": {"cached_tokens": 12, "cache_write_tokens": 9, "audio_tokens": 9},
            },
            Usage(input_tokens=20, cache_read_tokens=12, cache_write_tokens=8),
        ),
        ({}, None),
        ({"prompt_tokens": None, "total_tokens": 5}, None),
    ],
)
def test_every_vendors_way_to_count_is_read(counted, usage):
    body = {"choices": [{"message": {"content": "a"}}], "usage": counted}
    assert parse_response(json.dumps(body).encode()).usage == usage
