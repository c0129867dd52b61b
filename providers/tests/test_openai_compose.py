import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from common.errors import InvalidRequest
from providers.tests.any_prompts import prompts
from providers.wire.neutral import (
    Document,
    Image,
    Message,
    Prompt,
    Reasoning,
    RedactedThinking,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from providers.wire.openai.adapter import OpenAIWire
from providers.wire.openai.prompt import prompt_of
from providers.wire.openai.request import parse_chat_request
from providers.wire.shapes import Quirks, Target

TARGET = Target(
    provider="demo",
    provider_scope="platform",
    wire="openai",
    base_url="http://127.0.0.1:1/v1",
    model="vendor/model-1",
    headers=(),
    price=None,
)
HELLO = (Message(role="user", parts=(Text(text="Hi"),)),)


def target(**changes) -> Target:
    return msgspec.structs.replace(TARGET, **changes)


def sent(prompt: Prompt, at: Target = TARGET, *, stream: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(OpenAIWire().build_prompt(prompt, at, stream=stream).body)
    return body


def comparable(prompt: Prompt) -> str:
    """Raw compares by its bytes only as text; the names are the dialect's own."""
    return msgspec.json.encode(msgspec.structs.replace(prompt, names={})).decode()


@settings(max_examples=150, deadline=None)
@given(prompts())
def test_what_is_written_is_read_back_as_it_was(prompt):
    written = OpenAIWire().build_prompt(prompt, TARGET, stream=False).body
    assert comparable(prompt_of(parse_chat_request(written))) == comparable(prompt)


def test_a_plain_question_is_sent_plainly():
    assert sent(Prompt(messages=HELLO)) == {
        "model": "vendor/model-1",
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_a_stream_reports_its_usage_where_the_server_knows_how():
    assert sent(Prompt(messages=HELLO), stream=True)["stream_options"] == {"include_usage": True}
    silent = target(quirks=Quirks(stream_usage=False))
    assert "stream_options" not in sent(Prompt(messages=HELLO), silent, stream=True)


def test_a_call_and_its_results_are_a_turn_each():
    prompt = Prompt(
        messages=(
            Message(role="assistant", parts=(ToolCall(id="a", name="f", arguments="{}"),)),
            Message(
                role="tool",
                parts=(
                    ToolResult(call_id="a", parts=(Text(text="42"),)),
                    ToolResult(call_id="b", parts=(Text(text="no such town"),), is_error=True),
                ),
            ),
        )
    )
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert sent(prompt)["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "42"},
        {"role": "tool", "tool_call_id": "b", "content": "Error:\nno such town"},
    ]


def test_what_a_call_showed_follows_all_results():
    seen = ToolResult(call_id="a", parts=(Text(text="see"), Image(encoded="QQ==", media_type="image/png")))
    message = Message(role="tool", parts=(seen, ToolResult(call_id="b", parts=())))
    assert sent(Prompt(messages=(message,)))["messages"] == [
        {"role": "tool", "tool_call_id": "a", "content": "see"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What the call a returned:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}},
            ],
        },
    ]


def test_a_thought_stays_behind_unless_the_server_wants_it():
    parts = (Thinking(text="hm", signature="s"), RedactedThinking(encoded="x"), Text(text="Yes", cache="1h"))
    prompt = Prompt(messages=(Message(role="assistant", parts=parts),))
    assert sent(prompt)["messages"] == [{"role": "assistant", "content": "Yes"}]
    wants = target(quirks=Quirks(renamed={"messages.thinking": "reasoning_content"}))
    assert sent(prompt, wants)["messages"] == [{"role": "assistant", "content": "Yes", "reasoning_content": "hm"}]


def test_a_text_file_is_sent_as_its_text():
    document = Document(encoded="R3LDvMOfZQ==", media_type="text/plain", title="a.txt")
    assert sent(Prompt(messages=(Message(role="user", parts=(document,)),)))["messages"][0]["content"] == (
        "a.txt\n\nGrüße"
    )


@pytest.mark.parametrize(("budget", "effort"), [(1024, "low"), (4096, "medium"), (16_383, "medium"), (32_000, "high")])
def test_a_budget_is_told_as_the_effort_nearest_to_it(budget, effort):
    assert sent(Prompt(messages=HELLO, reasoning=Reasoning(budget_tokens=budget)))["reasoning_effort"] == effort


def test_a_choice_among_no_tools_is_not_sent():
    body = sent(Prompt(messages=HELLO, tool_choice=ToolChoice(mode="none", parallel=False)))
    assert body.keys() == {"model", "messages"}


LOST = [
    ({"top_k": 5}, "top_k"),
    ({"others": {"mcp_servers": msgspec.Raw(b"[1]")}}, "mcp_servers"),
    ({"reasoning": Reasoning(effort="low", summary="detailed")}, "reasoning.summary"),
    ({"messages": (Message(role="user", parts=(Document(url="https://a/b.pdf"),)),)}, "messages[0].document.url"),
    ({"messages": (Message(role="assistant", parts=(Image(url="https://a/b"),)),)}, "messages[0].image"),
    ({"messages": (Message(role="user", parts=(Thinking(text="x"),)),)}, "messages[0].thinking"),
]


@pytest.mark.parametrize(("fields", "param"), LOST)
def test_what_cannot_be_said_is_refused_by_its_name(fields, param):
    with pytest.raises(InvalidRequest) as refusal:
        sent(Prompt(**{"messages": HELLO, **fields}))
    assert (refusal.value.param, refusal.value.code) == (param, "unsupported_parameter")


@pytest.mark.parametrize(("fields", "param"), LOST)
def test_or_dropped_and_told_where_the_route_says_so(fields, param):
    request = OpenAIWire().build_prompt(Prompt(**{"messages": HELLO, **fields}), target(drop_params=True), stream=False)
    assert request.dropped == (param,)
    assert json.loads(request.body).keys() <= {"model", "messages", "reasoning_effort"}


def test_quirks_rename_allow_and_forbid_fields():
    quirks = Quirks(
        renamed={"max_completion_tokens": "max_tokens", "top_k": "top_k"},
        unsupported=("logprobs", "response_format"),
        paths={"chat": "/deployments/{model}/chat"},
        query={"api-version": "2024-10-21"},
    )
    request = OpenAIWire().build_prompt(
        Prompt(messages=HELLO, max_output_tokens=9, top_k=4), target(quirks=quirks), stream=False
    )
    assert request.url == "http://127.0.0.1:1/v1/deployments/vendor%2Fmodel-1/chat?api-version=2024-10-21"
    body = json.loads(request.body)
    assert (body["max_tokens"], body["top_k"], "max_completion_tokens" in body) == (9, 4, False)
    with pytest.raises(InvalidRequest) as refusal:
        sent(Prompt(messages=HELLO, logprobs=True), target(quirks=quirks))
    assert refusal.value.param == "logprobs"
