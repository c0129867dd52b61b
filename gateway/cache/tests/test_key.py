"""What makes two requests the same, and what must not."""

import json
from typing import Any

import msgspec
import pytest

from common.ids import new_id
from gateway.cache.key import MOST_NORMALISED, Scopes, key_of
from providers.catalogue import RouteEntry
from providers.route_policy import CacheRule, RoutePolicy, TargetRule
from providers.wire.anthropic.speech import MessagesSpeech
from providers.wire.completions.speech import CompletionsSpeech
from providers.wire.openai.request import parse_chat_request
from providers.wire.openai.tasks import parse_task_request, parse_upload

TENANT = new_id()
SCOPE = bytes(32)
ROUTE = RouteEntry(
    name="fast",
    created=1,
    rules=(TargetRule(target="openai/gpt-4o"),),
    policy=RoutePolicy(cache=CacheRule()),
)
FIELDS: dict[str, Any] = {
    "model": "fast",
    "messages": [
        {"role": "system", "content": "Be brief: always."},
        {"role": "user", "content": [{"type": "text", "text": "Grüße"}], "name": "ann"},
    ],
    "temperature": 0.5,
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "a": 1.0}}}],
    "vendor_field": {"b": [1, 2.5, None, True], "a": "x"},
}


def key(body, **options):
    return key_of(SCOPE, parse_chat_request(body if isinstance(body, bytes) else json.dumps(body).encode()), **options)


def changed(**fields):
    return {**FIELDS, **fields}


def reversed_names(value):
    if isinstance(value, dict):
        return {name: reversed_names(value[name]) for name in reversed(value)}
    return [reversed_names(each) for each in value] if isinstance(value, list) else value


def test_a_key_is_32_bytes_and_always_the_same():
    assert len(key(FIELDS)) == 32
    assert key(FIELDS) == key(dict(FIELDS))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(FIELDS, indent=3).encode(),
        json.dumps(FIELDS, ensure_ascii=False, separators=(",", ":")).encode(),
        json.dumps(reversed_names(FIELDS)).encode(),
        json.dumps(FIELDS).replace("0.5", "5.00e-1").replace("2.5", "25E-1").encode(),
        json.dumps(FIELDS).replace("Be brief", "\\u0042e\\u0020brief").encode(),
    ],
    ids=["whitespace", "escapes", "order", "numbers", "letters"],
)
def test_how_json_is_written_makes_no_difference(body):
    assert key(body) == key(FIELDS)


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": True},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"user": "ann"},
        {"safety_identifier": "ann"},
        {"metadata": {"a": "b"}},
        {"prompt_cache_key": "x", "prompt_cache_retention": "24h"},
    ],
    ids="+".join,
)
def test_what_can_change_no_answer_makes_no_difference(fields):
    assert key(changed(**fields)) == key(FIELDS)


def test_every_field_counts_where_a_template_may_use_it_but_how_it_is_sent_does_not():
    assert key(changed(user="ann"), every_field=True) != key(FIELDS, every_field=True)
    assert key(changed(stream=True), every_field=True) == key(FIELDS, every_field=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "fast2"},
        {"temperature": 0.6},
        {"temperature": None},
        {"max_tokens": 5},
        {"seed": 18446744073709551617},
        {"messages": FIELDS["messages"][1:]},
        {"messages": FIELDS["messages"][::-1]},
        {"messages": [FIELDS["messages"][0], {"role": "user", "content": "Grüße"}]},
        {"tools": []},
        {"vendor_field": {"b": [2.5, 1, None, True], "a": "x"}},
        {"vendor_field": {"b": [1, "2.5", None, True], "a": "x"}},
        {"vendor_field": {"b": [1, 2.5, None, 1], "a": "x"}},
        {"unheard_of": 1},
        {"models": ["other"]},
        {"n": 2},
        {"service_tier": "flex"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_whatever_can_change_an_answer_makes_a_difference(fields):
    assert key(changed(**fields)) != key(FIELDS)


def test_numbers_that_no_float_can_hold_apart_are_held_apart():
    assert key(changed(seed=18446744073709551617)) != key(changed(seed=18446744073709551618))
    assert key(changed(seed=2**53)) != key(changed(seed=2**53 + 1))


def test_one_is_one_as_a_parameter_but_not_within_a_schema_that_a_model_is_shown():
    assert key(changed(temperature=1)) == key(changed(temperature=1.0))
    assert key(json.dumps(FIELDS).replace("1.0", "1").encode()) != key(FIELDS)


@pytest.mark.parametrize("colon", [":", "\\u003a", "\\u003A"])
def test_a_name_that_is_there_twice_is_not_taken_for_its_last_value(colon):
    """A vendor that reads the first would answer another question than the one that the key is of."""
    once = b'{"model":"fast","messages":[{"role":"user","content":"what is asked"}]}'
    twice = once.replace(b'"content"', f'"content":"never{colon} asked","content"'.encode())
    assert key(twice) != key(once)
    other = once.replace(b'"content"', f'"content":"other{colon} asked","content"'.encode())
    assert key(twice) != key(other)


def test_colons_that_make_up_for_a_lost_name_do_not_hide_it():
    once = b'{"model":"fast","messages":[{"role":"user","content":"a : b"}]}'
    assert key(once.replace(b'"content":"a : b"', b'"content":"x","content":"a \\u003a b"')) != key(once)


def test_fields_and_values_cannot_be_moved_into_each_other():
    assert key(changed(a="b", c="d")) != key(changed(a='b","c":"d'))
    assert key_of(SCOPE, parse_chat_request(json.dumps(FIELDS).encode()), tags=("a", "b")) != key(FIELDS, tags=("ab",))


def test_the_callers_tags_and_headers_count():
    assert key(FIELDS, tags=("eu", "fast")) == key(FIELDS, tags=("fast", "eu"))
    assert key(FIELDS, tags=("eu",)) != key(FIELDS)
    request = parse_chat_request(json.dumps(FIELDS).encode())
    beta = msgspec.structs.replace(request, headers=(("anthropic-beta", "x"),))
    assert key_of(SCOPE, beta) != key_of(SCOPE, request)


def test_dialects_have_keys_of_their_own():
    body = json.dumps({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}).encode()
    assert key_of(SCOPE, MessagesSpeech().parse_request(body)) != key(body)
    text = b'{"model":"m","prompt":"x"}'
    assert key_of(SCOPE, CompletionsSpeech().parse_request(text)) is not None


def test_what_is_kept_byte_by_byte_is_kept_as_it_was_sent():
    whole = parse_task_request(b'{"model":"m","input":"x","voice":"v"}', "speech")
    events = parse_task_request(b'{"model":"m","input":"x","voice":"v","stream_format":"sse"}', "speech")
    pictures = parse_task_request(b'{"model":"m","prompt":"x","stream":true}', "images")
    still = parse_task_request(b'{"model":"m","prompt":"x"}', "images")
    assert len({key_of(SCOPE, each) for each in (whole, events, pictures, still)}) == 4


def test_large_requests_are_compared_as_they_were_sent_and_the_largest_are_not_kept():
    long = changed(messages=[{"role": "user", "content": "x" * MOST_NORMALISED}])
    assert key(long) == key(reversed_names_at_the_top(long))
    assert key(long) != key(changed(messages=[{"role": "user", "content": "x" * MOST_NORMALISED + "y"}]))
    assert key(changed(messages=[{"role": "user", "content": "x" * 5_000_000}])) is None


def reversed_names_at_the_top(fields):
    return {name: fields[name] for name in reversed(fields)}


def test_uploads_are_not_kept():
    form = (
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    )
    assert key_of(SCOPE, parse_upload(form, "multipart/form-data; boundary=b")) is None


def test_what_cannot_be_read_is_compared_as_it_was_sent():
    odd = json.dumps(FIELDS).replace("2.5", "1e999").encode()
    assert key(odd) == key(odd)
    assert key(odd) != key(FIELDS)


def test_tenants_routes_and_their_configurations_have_scopes_of_their_own():
    scopes = Scopes()
    mine = scopes.of(TENANT, ROUTE)
    assert scopes.of(TENANT, ROUTE) == scopes.of(TENANT, msgspec.structs.replace(ROUTE)) == mine
    others = [
        scopes.of(new_id(), ROUTE),
        scopes.of(TENANT, msgspec.structs.replace(ROUTE, name="slow")),
        scopes.of(TENANT, msgspec.structs.replace(ROUTE, rules=(TargetRule(target="openai/gpt-5"),))),
        scopes.of(TENANT, msgspec.structs.replace(ROUTE, strategy="cost")),
    ]
    assert len({mine, *others}) == 5
    assert scopes.of(TENANT, msgspec.structs.replace(ROUTE, learned={"x": 1.0})) == mine
