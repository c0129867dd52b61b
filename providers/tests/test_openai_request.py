import json
import random

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.request import parse_chat_request
from providers.wire.shapes import Target

MESSAGES = [{"role": "user", "content": "Hi"}]
TARGET = Target(
    provider="demo",
    provider_scope="platform",
    wire="openai",
    base_url="http://127.0.0.1:1/v1",
    model="vendor/model-1",
    headers=(),
    price=None,
)


def body(**fields) -> bytes:
    return json.dumps({"model": "m", "messages": MESSAGES, **fields}).encode()


def sent(wire_bytes: bytes) -> bytes:
    return OpenAIWire().build_request(parse_chat_request(wire_bytes), TARGET).body


def test_what_routing_and_metering_need_is_read():
    wire_bytes = body(stream=True, n=3, max_completion_tokens=50, max_tokens=70, stream_options={"include_usage": True})
    request = parse_chat_request(wire_bytes)
    assert (request.model, request.stream, request.choices, request.include_usage) == ("m", True, 3, True)
    assert request.max_output_tokens == 50
    assert request.input_bytes == len(wire_bytes)


def test_absent_and_null_fields_mean_their_defaults():
    request = parse_chat_request(body(stream=None, n=None, max_tokens=None, stream_options=None))
    assert (request.stream, request.choices, request.include_usage, request.max_output_tokens) == (
        False,
        1,
        False,
        None,
    )
    assert parse_chat_request(body(max_tokens=9)).max_output_tokens == 9


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 5}, "model"),
        ({"model": None}, "model"),
        ({"model": " "}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": [*MESSAGES, 5]}, "messages[1]"),
        ({"messages": [*MESSAGES, {"content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": 7}]}, "messages[0].role"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"stream_options": 5}, "stream_options"),
        ({"stream_options": {"include_usage": "x"}}, "stream_options"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(InvalidRequest) as refusal:
        parse_chat_request(body(**fields))
    assert refusal.value.param == param
    assert param.partition("[")[0] in refusal.value.message
    assert refusal.value.status == 400


@pytest.mark.parametrize("name", ["model", "messages"])
def test_a_missing_field_is_named(name):
    fields = {"model": "m", "messages": MESSAGES}
    del fields[name]
    with pytest.raises(InvalidRequest) as refusal:
        parse_chat_request(json.dumps(fields).encode())
    assert (refusal.value.param, refusal.value.code) == (name, "missing_required_parameter")


@pytest.mark.parametrize(
    ("wire_bytes", "told"),
    [
        (b'{"model": "m", "messages": [1,2,}', "at byte 32"),
        (b'{"model": "m"', "ends too early, at byte 13"),
        (b"", "ends too early, at byte 0"),
        (b'{"model": "m"} extra', "at byte 16"),
        (b'{"model": NaN}', "at byte 10"),
        (b'{"model": "caf\xe9"}', "byte 14"),
        (b"[1]", "must be a JSON object"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
    ],
)
def test_invalid_json_is_refused_at_its_place(wire_bytes, told):
    with pytest.raises(InvalidRequest) as refusal:
        parse_chat_request(wire_bytes)
    assert told in refusal.value.message
    assert refusal.value.code == "invalid_json"


def test_only_the_model_is_replaced_and_unknown_fields_keep_their_text():
    wire_bytes = (
        b'{"model":"alias", '
        b'"messages":[ {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}}]} ],'
        b'"seed": 12345678901234567890123, "temperature":1.0e0, "x_unknown":{"b":1, "a":"\\u00e9"}}'
    )
    assert sent(wire_bytes) == (
        b'{"model":"vendor/model-1",'
        b'"messages":[ {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}}]} ],'
        b'"seed":12345678901234567890123,"temperature":1.0e0,"x_unknown":{"b":1, "a":"\\u00e9"}}'
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"include_usage": True}),
        ({"stream_options": None}, {"include_usage": True}),
        ({"stream_options": {"include_usage": False}}, {"include_usage": True}),
        ({"stream_options": {"include_obfuscation": False}}, {"include_obfuscation": False, "include_usage": True}),
        ({"stream_options": {"include_usage": True, "x": 1}}, {"include_usage": True, "x": 1}),
    ],
)
def test_a_stream_always_reports_usage(options, expected):
    assert json.loads(sent(body(stream=True, **options)))["stream_options"] == expected


@pytest.mark.parametrize("field", ['"stream_options":{"x":%s}', '"tools":%s', '"messages":[{"role":"u","x":%s}]'])
def test_what_is_nested_as_deep_as_can_be_is_sent_or_refused(field):
    """The request is built further down the stack than it is read."""
    results: set[object] = set()
    for depth in range(850, 1010):
        nested = field % ("[" * depth + "]" * depth)
        wire_bytes = b'{"model":"m","messages":[{"role":"u"}],"stream":true,' + nested.encode() + b"}"
        try:
            request = parse_chat_request(wire_bytes)
        except InvalidRequest as error:
            results.add(error.message)
        else:
            results.add(len(further_down(20, lambda request=request: OpenAIWire().build_request(request, TARGET).body)))
    assert "The body is nested too deeply." in results
    assert len(results) > 1


def further_down(frames, action):
    return further_down(frames - 1, action) if frames else action()


def test_a_request_without_stream_gets_no_stream_options():
    assert "stream_options" not in json.loads(sent(body()))


def test_the_address_and_headers_are_the_targets():
    request = OpenAIWire().build_request(parse_chat_request(body(stream=True)), TARGET)
    assert request.url == "http://127.0.0.1:1/v1/chat/completions"
    assert request.headers is TARGET.headers
    assert request.stream


def test_twenty_thousand_broken_bodies_are_refused_in_one_way():
    chance = random.Random(7)
    whole = body(stream=True, n=2, tools=[{"type": "function"}], stream_options={"include_usage": True})
    for _ in range(20_000):
        wire_bytes = bytearray(whole[: chance.randrange(len(whole) + 1)] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(1, 5)):
            place = chance.randrange(len(wire_bytes) + 1)
            wire_bytes[place : place + chance.randrange(4)] = bytes(
                chance.choices(b'\x00\xff"{}[]:,\\0e-ntf', k=chance.randrange(3))
            )
        try:
            request = parse_chat_request(bytes(wire_bytes))
        except InvalidRequest:
            continue
        msgspec.json.decode(OpenAIWire().build_request(request, TARGET).body)
