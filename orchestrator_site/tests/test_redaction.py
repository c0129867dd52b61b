"""Secrets do not reach the log, whatever they are wrapped in."""

from typing import Any

import pytest

from orchestrator_site.logs.redaction import REDACTED, redact_event, redact_text
from tenants import keys

KEY = keys.generate().text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param(f"key {KEY} was refused", KEY[21:], id="one of our keys"),
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("authorization=Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
        ("upstream said sk-proj-Ab12Cd34Ef56 is wrong", "Ab12Cd34Ef56"),
        ("AIzaSyA1234567890abcdefghijklmnopqrs", "SyA1234567890"),
        ("postgresql://user:p@ss:word@db/name refused", "p@ss"),
        ("redis://:hunter22@127.0.0.1:6379/0", "hunter22"),
        ('{"api_key": "plain-secret", "n": 1}', "plain-secret"),
        ("password='two words' given", "two words"),
        ("token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0"),
        ("x-api-key: something-short", "something-short"),
    ],
)
def test_a_secret_in_a_text_is_taken_out(text, secret):
    assert secret in text
    assert secret not in redact_text(text)
    assert REDACTED in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided.",
        "http://127.0.0.1:8000/v1/models",
        "https://example.com:8443/a@b/c",
        "input_tokens=8 output_tokens=61",
        "01a1fd62-4a60-70df-89a1-9f1731ca722e",
        "the token bucket is full",
    ],
)
def test_an_innocent_text_stays(text):
    assert redact_text(text) == text


def test_a_key_keeps_its_public_part():
    assert redact_text(KEY) == KEY[:21] + REDACTED


def test_values_under_a_secrets_name_go_whatever_they_are():
    event = {
        "event": "call",
        "api_key": "abc",
        "Authorization": "abc",
        "x-api-key": "abc",
        "DATABASE_URL": "abc",
        "headers": {"cookie": "abc", "accept": "text/html"},
        "nested": [{"password": "abc"}],
        "input_tokens": 8,
        "api_key_id": "visible",
        "token": "",
    }
    cleaned = redact_event(None, "info", event)
    assert "abc" not in str(cleaned)
    assert cleaned["headers"] == {"cookie": REDACTED, "accept": "text/html"}
    assert cleaned["input_tokens"] == 8
    assert cleaned["api_key_id"] == "visible"


def test_an_object_shows_no_secret_by_its_repr():
    class Holder:
        def __str__(self):
            return f"Holder of {KEY}"

    assert KEY not in str(redact_event(None, "info", {"event": "x", "holder": Holder()}))


def test_what_is_nested_without_end_comes_to_an_end():
    deep: dict[str, Any] = {}
    deep["self"] = deep
    assert "…" in str(redact_event(None, "info", {"event": "x", "deep": deep}))
