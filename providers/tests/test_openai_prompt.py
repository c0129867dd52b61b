import json
import random

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.wire.neutral import (
    Audio,
    Document,
    Format,
    Image,
    Message,
    Prompt,
    Reasoning,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from providers.wire.openai.speech import ChatSpeech

HELLO = {"role": "user", "content": "Hi"}


def prompt(**fields) -> Prompt:
    return prompt_in(json.dumps({"model": "m", "messages": [HELLO], **fields}).encode())


def prompt_in(body: bytes) -> Prompt:
    speech = ChatSpeech()
    return speech.prompt_of(speech.parse_request(body))


def messages(*given: object) -> tuple[Message, ...]:
    return prompt(messages=given).messages


def user(*parts: object) -> tuple[object, ...]:
    return messages({"role": "user", "content": parts})[0].parts


def test_every_role_has_its_place():
    assert messages(
        {"role": "developer", "content": "Be brief", "name": "d"},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "refusal": "never"},
    ) == (
        Message(role="system", parts=(Text(text="Be brief"),), name="d"),
        Message(role="user", parts=()),
        Message(role="assistant", parts=(Refusal(text="no"), Refusal(text="never"))),
    )


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"type": "text", "text": "a"}, Text(text="a")),
        (
            {"type": "image_url", "image_url": {"url": "https://a/b", "detail": "low"}},
            Image(url="https://a/b", detail="low"),
        ),
        ({"type": "image_url", "image_url": "https://a/b"}, Image(url="https://a/b")),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}},
            Image(encoded="QQ==", media_type="image/png"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg%2F%3E"}},
            Image(encoded="PHN2Zy8+", media_type="image/svg+xml"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
            Audio(encoded="QQ==", format="wav"),
        ),
        (
            {"type": "file", "file": {"file_data": "data:text/plain;base64,QQ==", "filename": "a.txt"}},
            Document(encoded="QQ==", media_type="text/plain", title="a.txt"),
        ),
        ({"type": "file", "file": {"file_data": "QQ=="}}, Document(encoded="QQ==")),
        ({"type": "file", "file": {"file_data": "https://a/b.pdf"}}, Document(url="https://a/b.pdf")),
        ({"type": "file", "file": {"file_id": "file-1"}}, Document(file_id="file-1")),
    ],
)
def test_every_part_is_read(given, part):
    assert user(given) == (part,)


@pytest.mark.parametrize(
    ("marker", "cache"),
    [
        ({"cache_control": {"type": "ephemeral"}}, "5m"),
        ({"cache_control": {"type": "ephemeral", "ttl": "5m"}}, "5m"),
        ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, "1h"),
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, "5m"),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}, "1h"),
        ({"cache_control": None}, ""),
    ],
)
def test_cache_markers_are_kept_wherever_callers_put_them(marker, cache):
    assert user({"type": "text", "text": "a", **marker}) == (Text(text="a", cache=cache),)
    assert messages({"role": "user", "content": "a", **marker})[0].parts == (Text(text="a", cache=cache),)
    result = {"role": "tool", "tool_call_id": "c", "content": "a", **marker}
    assert messages(result)[0].parts == (ToolResult(call_id="c", parts=(Text(text="a"),), cache=cache),)
    tool = {"type": "function", "function": {"name": "f"}, **marker}
    assert prompt(tools=[tool]).tools == (Tool(name="f", cache=cache),)


def test_calls_and_results_of_one_turn_belong_together():
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    signed = {**call, "id": "b", "extra_content": {"google": {"thought_signature": "s"}}}
    assert messages(
        {"role": "assistant", "content": None, "tool_calls": [call, signed]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
    ) == (
        Message(
            role="assistant",
            parts=(
                ToolCall(id="a", name="f", arguments="{}"),
                ToolCall(id="b", name="f", arguments="{}", signature="s"),
            ),
        ),
        Message(
            role="tool",
            parts=(ToolResult(call_id="a", parts=(Text(text="1"),)), ToolResult(call_id="b", parts=(Text(text="2"),))),
        ),
    )


def test_functions_of_old_are_tools():
    read = prompt(
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
        messages=[
            HELLO,
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "42"},
        ],
    )
    assert [tool.name for tool in read.tools] == ["f"]
    assert read.tool_choice == ToolChoice(mode="tool", name="f")
    call, result = read.messages[1].parts[0], read.messages[2].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert call.id == result.call_id != ""


def test_thoughts_of_earlier_turns_come_first():
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    signed = {"role": "assistant", "content": "Yes", "thinking_blocks": blocks, "reasoning_content": "hm"}
    plain = {"role": "assistant", "content": "Yes", "reasoning_content": "hm"}
    assert messages(signed, plain) == (
        Message(
            role="assistant",
            parts=(Thinking(text="hm", signature="s"), RedactedThinking(encoded="x"), Text(text="Yes")),
        ),
        Message(role="assistant", parts=(Thinking(text="hm"), Text(text="Yes"))),
    )


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"max_tokens": 5}, "max_output_tokens", 5),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_output_tokens", 6),
        ({"temperature": 1}, "temperature", 1.0),
        ({"top_k": 4}, "top_k", 4),
        ({"stop": "x"}, "stop", ("x",)),
        ({"stop": ["x", "", "y"]}, "stop", ("x", "y")),
        ({"stop": None}, "stop", ()),
        ({"logprobs": True, "top_logprobs": 3}, "top_logprobs", 3),
        ({"n": 2}, "choices", 2),
        ({"user": "u"}, "user", "u"),
        ({"service_tier": "flex"}, "service_tier", "flex"),
        ({"service_tier": "auto"}, "service_tier", ""),
        (
            {"tool_choice": "required", "parallel_tool_calls": False},
            "tool_choice",
            ToolChoice(mode="required", parallel=False),
        ),
        ({"tool_choice": {"type": "none"}}, "tool_choice", ToolChoice(mode="none")),
        ({"parallel_tool_calls": False}, "tool_choice", ToolChoice(parallel=False)),
        ({"response_format": {"type": "json_object"}}, "format", Format(kind="json")),
        ({"reasoning_effort": "low"}, "reasoning", Reasoning(effort="low")),
        ({"reasoning_effort": "none"}, "reasoning", Reasoning(enabled=False)),
        ({"reasoning": {"effort": "high"}}, "reasoning", Reasoning(effort="high")),
        ({"reasoning": {"max_tokens": 99}}, "reasoning", Reasoning(budget_tokens=99)),
        ({"reasoning": {"enabled": False}}, "reasoning", Reasoning(enabled=False)),
        ({"thinking": {"type": "enabled", "budget_tokens": 99}}, "reasoning", Reasoning(budget_tokens=99)),
        ({"thinking": {"type": "disabled"}}, "reasoning", Reasoning(enabled=False)),
    ],
)
def test_every_field_is_read(fields, name, value):
    assert getattr(prompt(**fields), name) == value


def test_a_schema_keeps_its_text():
    read = prompt_in(
        b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema",'
        b'"json_schema":{"name":"n","description":"d","strict":true,"schema":{ "b":1,"a":2 }}}}'
    )
    assert read.format == Format(
        kind="schema", name="n", description="d", strict=True, schema=msgspec.Raw(b'{ "b":1,"a":2 }')
    )


def test_what_has_no_place_is_kept_by_its_path_and_nothing_else():
    read = prompt(
        logit_bias={"1": 2},
        store=False,
        modalities=["text"],
        metadata={},
        verbosity=None,
        x_unknown=[1],
        tools=[{"type": "custom", "custom": {"name": "c"}}],
        tool_choice={"type": "allowed_tools", "allowed_tools": {}},
        response_format={"type": "grammar", "grammar": "x"},
        messages=[
            {"role": "assistant", "audio": {"id": "a"}},
            {"role": "assistant", "tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "c", "input": "i"}}]},
        ],
    )
    assert set(read.others) == {
        "logit_bias", "x_unknown", "tools[0]", "tool_choice", "response_format", "messages[0].audio",
        "messages[1].tool_calls[0]",
    }  # fmt: skip
    assert json.loads(bytes(read.others["messages[1].tool_calls[0]"]))["custom"]["input"] == "i"


@pytest.mark.parametrize(
    ("fields", "field", "name"),
    [
        ({"max_tokens": 5}, "max_output_tokens", "max_tokens"),
        ({"max_completion_tokens": 5}, "max_output_tokens", "max_completion_tokens"),
        ({"max_completion_tokens": None, "max_tokens": 5}, "max_output_tokens", "max_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "reasoning.budget_tokens", "thinking.budget_tokens"),
        ({"reasoning": {"max_tokens": 9}}, "reasoning.budget_tokens", "reasoning.max_tokens"),
        ({"reasoning_effort": "low"}, "reasoning", "reasoning_effort"),
        ({"function_call": "auto"}, "tool_choice", "function_call"),
        ({"functions": []}, "tools", "functions"),
    ],
)
def test_fields_keep_the_callers_names(fields, field, name):
    assert prompt(**fields).names[field] == name


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "bot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [HELLO, {"role": "user", "content": 5}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "video_url"}]}]}, "messages[0].content[0].type"),
        (
            {"messages": [{"role": "system", "content": [{"type": "refusal", "refusal": "n"}]}]},
            "messages[0].content[0].type",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].tool_call_id"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]},
            "messages[0].tool_calls[0].id",
        ),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"function": {"parameters": {}}}]}, "tools[0].function.name"),
        ({"tools": [{"function": {"name": "f", "parameters": "x"}}]}, "tools[0].function.parameters"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"function_call": "sometimes"}, "function_call"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {}}, "response_format.type"),
        ({"temperature": "hot"}, "temperature"),
        ({"seed": 1.5}, "seed"),
        ({"stop": [1]}, "stop"),
        ({"reasoning_effort": 5}, "reasoning_effort"),
        ({"thinking": {"type": 1}}, "thinking.type"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(InvalidRequest) as refusal:
        prompt(**fields)
    assert refusal.value.param == param
    assert f"'{param}'" in refusal.value.message


def test_what_is_nested_too_deeply_is_refused():
    body = b'{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"text","x":%b}}'
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        prompt_in(body % (b"[" * 100_000 + b"]" * 100_000))


def test_twenty_thousand_broken_bodies_are_read_or_refused():
    chance = random.Random(20261121)
    whole = json.dumps(
        {
            "model": "m",
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}}],
                },
                {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "a", "content": "1"},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
            "stop": ["a"],
        }
    ).encode()
    words = [b"null", b"0", b"[]", b"{}", b'"x"', b"type", b"role", b"\xff", b",", b'"']
    for _ in range(20_000):
        body = bytearray(whole)
        for _ in range(chance.randrange(1, 3)):
            place = chance.randrange(len(body))
            body[place : place + chance.randrange(12)] = chance.choice(words)
        try:
            prompt_in(bytes(body))
        except InvalidRequest:
            continue
