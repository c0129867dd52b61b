import json
from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.wire.anthropic.adapter import AnthropicWire
from providers.wire.anthropic.build import USUAL_MAX_TOKENS
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
from providers.wire.shapes import Target

WIRE = AnthropicWire()
HELLO = (Message(role="user", parts=(Text(text="hello"),)),)
SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}')
OLD, MODERN, LATEST = "claude-sonnet-4-5", "claude-sonnet-5", "claude-opus-5-5"


def target(model: str = "claude-opus-4-6", **more: Any) -> Target:
    return Target(
        provider="anthropic",
        provider_scope="platform",
        wire="anthropic",
        base_url="https://api.anthropic.com/v1",
        model=model,
        headers=WIRE.credential_headers("sk-ant-key"),
        price=None,
        **more,
    )


def body(prompt: Prompt, model: str = "claude-opus-4-6", *, stream: bool = False, **more: Any) -> dict[str, Any]:
    built = WIRE.build_prompt(prompt, target(model, **more), stream=stream)
    return msgspec.json.decode(built.body, type=dict[str, Any])


def turns(*messages: Message) -> Any:
    return body(Prompt(messages=messages))["messages"]


def said(*parts: Any) -> Any:
    return turns(Message(role="user", parts=parts))[0]["content"]


def asked(**fields: Any) -> Prompt:
    return Prompt(messages=HELLO, **fields)


def test_the_least_prompt_asks_for_no_more_than_it_must():
    assert body(asked()) == {
        "model": "claude-opus-4-6",
        "max_tokens": USUAL_MAX_TOKENS,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
    }


def test_a_stream_is_asked_for():
    request = WIRE.build_prompt(asked(), target(), stream=True)
    assert request.stream
    assert json.loads(request.body)["stream"] is True


def test_system_messages_go_to_the_top_in_their_order():
    prompt = Prompt(
        messages=(
            Message(role="system", parts=(Text(text="one", cache="1h"),)),
            *HELLO,
            Message(role="system", parts=(Text(text="two"), Text(text=""))),
        )
    )
    sent = body(prompt)
    assert sent["system"] == [
        {"type": "text", "text": "one", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "two"},
    ]
    assert len(sent["messages"]) == 1


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message(role="system", parts=(Text(text="only"),)),),
        (Message(role="user", parts=(Text(text=" \n"),)),),
    ],
)
def test_a_prompt_without_a_turn_is_refused(messages):
    with pytest.raises(InvalidRequest) as caught:
        body(Prompt(messages=messages))
    assert caught.value.param == "messages"


def test_messages_of_one_side_are_one_turn_and_results_come_first_in_it():
    found = turns(
        Message(role="user", parts=(Text(text="a"),)),
        Message(role="user", parts=(Text(text="b"),)),
        Message(
            role="assistant",
            parts=(
                Text(text=""),
                ToolCall(id="c1", name="f", arguments="{}"),
                ToolCall(id="c2", name="f", arguments=""),
            ),
        ),
        Message(role="tool", parts=(ToolResult(call_id="c1", parts=(Text(text="1"),)),)),
        Message(role="user", parts=(Text(text="and"),)),
        Message(role="tool", parts=(ToolResult(call_id="c2", parts=(), is_error=True),)),
    )
    assert [turn["role"] for turn in found] == ["user", "assistant", "user"]
    assert [block["type"] for block in found[1]["content"]] == ["tool_use", "tool_use"]
    assert found[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "1"}]},
        {"type": "tool_result", "tool_use_id": "c2", "is_error": True},
        {"type": "text", "text": "and"},
    ]


def test_pictures_and_documents_have_their_sources():
    assert said(
        Image(encoded="AA==", media_type="image/webp", detail="high", cache="5m"),
        Image(encoded="AA=="),
        Image(url="https://x/y.png"),
        Document(encoded="JVBERi0=", title="T"),
        Document(encoded="aMOp", media_type="text/markdown"),
        Document(url="https://x/y.pdf"),
        Document(file_id="file_1", cache="1h"),
    ) == [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/webp", "data": "AA=="},
            "cache_control": {"type": "ephemeral"},
        },
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "T",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hé"}},
        {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}},
        {
            "type": "document",
            "source": {"type": "file", "file_id": "file_1"},
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        },
    ]


def test_thoughts_go_back_with_their_proof_and_without_one_not_at_all():
    parts = (
        Thinking(text="t", signature="s"),
        Thinking(text="another vendor's"),
        RedactedThinking(encoded="r"),
        Refusal(text="no"),
    )
    [_, turn] = turns(*HELLO, Message(role="assistant", parts=parts))
    assert turn["content"] == [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "redacted_thinking", "data": "r"},
        {"type": "text", "text": "no"},
    ]


def test_calls_keep_their_arguments_to_the_digit_and_have_ids_of_allowed_letters():
    call = ToolCall(id="functions.get:0", name="get", arguments='{"n": 123456789012345678901234567890.10}', cache="5m")
    result = ToolResult(call_id="functions.get:0", parts=(Image(url="https://x/y.png"),))
    messages = (*HELLO, Message(role="assistant", parts=(call,)), Message(role="tool", parts=(result,)))
    request = WIRE.build_prompt(Prompt(messages=messages), target(), stream=False)
    assert b'"input":{"n": 123456789012345678901234567890.10}' in request.body
    sent = json.loads(request.body)["messages"]
    assert sent[1]["content"][0]["id"] == sent[2]["content"][0]["tool_use_id"] == "functions_get_0"


@pytest.mark.parametrize("arguments", ["[1]", "{", "5", '"x"'])
def test_arguments_that_are_no_object_are_refused(arguments):
    with pytest.raises(InvalidRequest) as caught:
        turns(*HELLO, Message(role="assistant", parts=(ToolCall(id="c", name="f", arguments=arguments),)))
    assert caught.value.param == "messages[1].tool_calls"


@pytest.mark.parametrize("encoded", ["%%%", "/w=="])
def test_a_text_that_is_no_text_is_refused(encoded):
    with pytest.raises(InvalidRequest) as caught:
        said(Document(encoded=encoded, media_type="text/plain"))
    assert caught.value.param == "messages[0].document"


def test_tools_have_schemas_of_objects():
    tools = (
        Tool(name="a", description="d", parameters=SCHEMA, strict=True, cache="5m"),
        Tool(name="b", strict=False),
        Tool(name="c", parameters=msgspec.Raw(b'{"properties":{}}')),
    )
    assert body(asked(tools=tools))["tools"] == [
        {
            "name": "a",
            "description": "d",
            "input_schema": msgspec.json.decode(SCHEMA),
            "strict": True,
            "cache_control": {"type": "ephemeral"},
        },
        {"name": "b", "input_schema": {"type": "object", "properties": {}}},
        {"name": "c", "input_schema": {"type": "object", "properties": {}}},
    ]
    with pytest.raises(InvalidRequest) as caught:
        body(asked(tools=(Tool(name="d", parameters=msgspec.Raw(b"[]")),)))
    assert caught.value.param == "tools[0].parameters"


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (ToolChoice(), {"type": "auto"}),
        (ToolChoice(mode="none", parallel=False), {"type": "none"}),
        (ToolChoice(mode="required", parallel=True), {"type": "any"}),
        (
            ToolChoice(mode="tool", name="a", parallel=False),
            {"type": "tool", "name": "a", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_a_choice_of_tools_has_its_type(choice, sent):
    assert body(asked(tools=(Tool(name="a"),), tool_choice=choice))["tool_choice"] == sent
    assert "tool_choice" not in body(asked(tool_choice=choice))


def test_some_models_cannot_be_told_to_call():
    prompt = asked(tools=(Tool(name="a"),), tool_choice=ToolChoice(mode="tool", name="a", parallel=False))
    with pytest.raises(InvalidRequest, match="'tool_choice'"):
        body(prompt, LATEST)
    assert body(prompt, LATEST, drop_params=True)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_the_fields_that_anthropic_has_are_sent_under_its_names():
    prompt = asked(
        max_output_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        stop=("a", "b"),
        user="u",
        service_tier="default",
        format=Format(kind="schema", name="n", schema=SCHEMA, strict=True),
        others={"container": msgspec.Raw(b'"c"'), "mcp_servers": msgspec.Raw(b"null"), "seed": msgspec.Raw(b"null")},
    )
    sent = body(prompt)
    assert {name: sent[name] for name in sent if name not in ("model", "messages")} == {
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 4,
        "stop_sequences": ["a", "b"],
        "metadata": {"user_id": "u"},
        "service_tier": "standard_only",
        "output_config": {"format": {"type": "json_schema", "schema": msgspec.json.decode(SCHEMA)}},
        "container": "c",
    }


LOST: dict[str, Any] = {
    "n": {"choices": 2},
    "logprobs": {"logprobs": True},
    "top_logprobs": {"top_logprobs": 3},
    "seed": {"seed": 0},
    "presence_penalty": {"presence_penalty": 0.1},
    "frequency_penalty": {"frequency_penalty": -1.0},
    "temperature": {"temperature": 1.5},
    "stop": {"stop": ("\n", "x")},
    "service_tier": {"service_tier": "flex"},
    "response_format": {"format": Format(kind="json")},
    "logit_bias": {"others": {"logit_bias": msgspec.Raw(b"{}")}},
    "reasoning_effort": {"reasoning": Reasoning(effort="enormous")},
}


@pytest.mark.parametrize("name", LOST)
def test_what_cannot_be_said_is_refused_by_its_name_or_dropped_and_told(name):
    prompt = asked(**LOST[name], names={"choices": "n", "format": "response_format", "reasoning": "reasoning_effort"})
    with pytest.raises(InvalidRequest) as caught:
        body(prompt)
    assert (caught.value.param, caught.value.code) == (name, "unsupported_parameter")
    request = WIRE.build_prompt(prompt, target(drop_params=True), stream=False)
    assert request.dropped == (name,)
    assert json.loads(request.body)["messages"]


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (Message(role="user", parts=(Text(text="a"), Audio(encoded="AA==", format="wav"))), "messages[0].audio"),
        (Message(role="user", parts=(Text(text="a"),), name="bob"), "messages[0].name"),
        (
            Message(role="user", parts=(Text(text="a"), Document(encoded="AA==", media_type="a/b"))),
            "messages[0].document",
        ),
    ],
)
def test_what_of_a_message_cannot_be_said_is_named_by_its_place(message, path):
    with pytest.raises(InvalidRequest) as caught:
        turns(message)
    assert caught.value.param == path
    request = WIRE.build_prompt(Prompt(messages=(message,)), target(drop_params=True), stream=False)
    assert request.dropped == (path,)
    assert json.loads(request.body)["messages"][0]["content"] == [{"type": "text", "text": "a"}]


def test_a_place_is_the_callers():
    prompt = Prompt(
        messages=(*HELLO, Message(role="assistant", parts=(ToolCall(id="c", name="f", arguments="["),))),
        names={"messages[1]": "input[4]"},
    )
    with pytest.raises(InvalidRequest) as caught:
        body(prompt)
    assert caught.value.param == "input[4].tool_calls"


def test_what_says_nothing_is_no_loss():
    prompt = asked(logprobs=False, presence_penalty=0.0, frequency_penalty=0, format=Format(), service_tier="")
    assert set(body(prompt)) == {"model", "max_tokens", "messages"}
