"""Requests of the Messages dialect: what is refused, and in which words."""

import json
import random
from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.tests.messages_speech import CALL, CALLED, EPHEMERAL, HOUR, SPEECH, encoded, parsed, user


def test_what_routing_and_metering_need_is_read():
    body = encoded(stream=True, metadata={"user_id": "u"})
    request = SPEECH.parse_request(body)
    assert (request.model, request.stream, request.max_output_tokens, request.choices) == ("claude", True, 64, 1)
    assert (request.dialect, request.include_usage, request.input_bytes) == ("messages", True, len(body))
    assert bytes(request.fields["metadata"]) == b'{"user_id": "u"}'


def test_tokens_are_counted_without_a_limit_or_a_stream():
    request = SPEECH.parse_count_request(encoded(max_tokens=None, stream=True, system="Be brief."))
    assert (request.max_output_tokens, request.stream) == (None, False)
    assert [message.role for message in SPEECH.prompt_of(request).messages] == ["system", "user"]
    assert json.loads(SPEECH.render_count(17)) == {"input_tokens": 17}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": None}, "model: Field required"),
        ({"model": 5}, "model: Input should be a valid string"),
        ({"model": " "}, "model: String should have at least 1 character"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
        ({"messages": None}, "messages: Field required"),
        ({"messages": {}}, "messages: Input should be a valid list"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [5]}, "messages.0: Input should be an object"),
        ({"messages": [CALLED, {"content": "x"}]}, "messages.1.role: Field required"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"messages": [{"role": 1, "content": "x"}]}, "messages.0.role: Input should be a valid string"),
    ],
)
def test_a_request_that_cannot_be_routed_names_the_field(changed, message):
    with pytest.raises(InvalidRequest) as caught:
        parsed(**changed)
    assert caught.value.message == message
    assert caught.value.param == message.partition(":")[0]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model": "\xff"}', b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(InvalidRequest) as caught:
        SPEECH.parse_request(body)
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role: Input should be 'user', 'assistant' or"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content: Input should be a valid string or"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0: messages must have non-empty content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0: messages must have non-empty content"),
        ({"messages": user({"text": "x"})}, "messages.0.content.0.type: Field required"),
        ({"messages": user({"type": "text"})}, "messages.0.content.0.text: Field required"),
        ({"messages": user({"type": "image", "source": {}})}, "messages.0.content.0.source.type: Field required"),
        (
            {"messages": user({"type": "image", "source": {"type": "base64", "data": "x"}})},
            "messages.0.content.0.source.media_type: Field required",
        ),
        (
            {"messages": user(CALL)},
            "messages.0.content.0: `tool_use` blocks are not allowed in `user` content",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]},
            "messages.0.content.0: `tool_result` blocks are not allowed in `assistant` content",
        ),
        (
            {"messages": user({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": 1}]})},
            "messages.0.content.0.content.0.text: Input should be a valid string",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{**CALL, "input": "{}"}]}]},
            "messages.0.content.0.input: Input should be an object",
        ),
        (
            {"messages": user({"type": "text", "text": "x", "cache_control": {"type": "forever"}})},
            "messages.0.content.0.cache_control.type: Input should be 'ephemeral'",
        ),
        (
            {"messages": user({"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}})},
            "messages.0.content.0.cache_control.ttl: Input should be '5m' or '1h'",
        ),
        ({"system": [{"type": "image"}]}, "system.0: `image` blocks are not allowed in `system` content"),
        ({"system": 3}, "system: Input should be a valid string or a valid list"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name: Field required"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema: Field required"),
        ({"tools": [{"name": "f", "input_schema": []}]}, "tools.0.input_schema: Input should be an object"),
        ({"tool_choice": {"type": "must"}}, "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name: Field required"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens: Field required"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type: Input should be 'json_schema'"),
        ({"temperature": "hot"}, "temperature: Input should be a valid number"),
        ({"stop_sequences": "x"}, "stop_sequences: Input should be a valid list of strings"),
        ({"max_tokens": 0}, "max_tokens: 0 only warms Anthropic's own cache"),
    ],
)
def test_what_cannot_be_translated_for_being_wrong_names_the_field(changed, message):
    request = parsed(**changed)
    with pytest.raises(InvalidRequest) as caught:
        SPEECH.prompt_of(request)
    assert caught.value.message.startswith(message)
    assert caught.value.param == message.partition(":")[0]


def test_a_body_nested_too_deeply_is_refused_wherever_it_is():
    deep = b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":' + b"[" * 900 + b"]" * 900 + b"}]}"
    with pytest.raises(InvalidRequest):
        SPEECH.prompt_of(SPEECH.parse_request(deep))


FULL = {
    "model": "m",
    "max_tokens": 9,
    "stream": False,
    "system": [{"type": "text", "text": "s", "cache_control": HOUR}],
    "messages": [
        *user(
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "t"}]}},
            {"type": "search_result", "title": "t", "source": "s", "content": [{"type": "text", "text": "t"}]},
        ),
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, *CALLED["content"]]},
        *user({"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "r"}]}),
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object"}, "strict": True}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    "stop_sequences": ["x"],
    "metadata": {"user_id": "u"},
    "cache_control": EPHEMERAL,
}
WHOLE = json.dumps(FULL).encode()
JUNK = [
    *(b"null true 0 -1 1e300 0.5 [] {} [[]]".split()),
    *(b'"" "text" "image" "tool_use" "tool_result" "document" "content" "url" "file" "any"'.split()),
    *(b'{"type":"text"} [{"type":"image"}] [{"type":"text","text":"x"}] 1180591620717411303424'.split()),
]


def holders(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below `value`."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    else:
        keys = list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [pair for key in keys for pair in holders(value[key])]


def spoiled(chance: random.Random) -> bytes:
    body = msgspec.json.decode(WHOLE)
    for _ in range(chance.randrange(1, 3)):
        container, key = chance.choice(holders(body))
        if isinstance(container, dict) and chance.random() < 0.3:
            del container[key]
        else:
            container[key] = msgspec.json.decode(chance.choice(JUNK))
        if not body:
            break
    wire_bytes = bytearray(msgspec.json.encode(body))
    if chance.random() < 0.3:
        place = chance.randrange(len(wire_bytes))
        wire_bytes[place : place + chance.randrange(3)] = bytes(chance.choices(b'\x00\xff"{}[]:,\\\r\n0e-ntfu', k=2))
    return bytes(wire_bytes)


def test_twenty_thousand_broken_requests_are_read_or_refused():
    chance = random.Random(20261121)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(20_000):
        body = spoiled(chance)
        try:
            SPEECH.prompt_of(SPEECH.parse_request(body))
            outcomes["read"] += 1
        except InvalidRequest:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 2_000
