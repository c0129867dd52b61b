"""Requests of the Messages dialect as prompts: what has a place, and what is lost."""

import base64
import json
from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.tests.messages_speech import CALL, CALLED, EPHEMERAL, HOUR, SPEECH, lost, prompted, user
from providers.wire.neutral import (
    Document,
    Format,
    Image,
    Losses,
    Message,
    Reasoning,
    RedactedThinking,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
)


def parts(*blocks: dict[str, Any]) -> tuple[Any, ...]:
    """Of the one message that the blocks become, nothing of them being lost."""
    prompt = prompted(messages=user(*blocks))
    assert prompt.others == {}
    [message] = prompt.messages
    return message.parts


def test_a_conversation_keeps_its_order_and_results_stand_alone():
    prompt = prompted(
        system=[{"type": "text", "text": "Be brief.", "cache_control": HOUR}],
        messages=[
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Look it up.", "signature": "proof"},
                    {"type": "redacted_thinking", "data": "c2VjcmV0"},
                    {"type": "text", "text": "One moment."},
                    {"type": "tool_use", "id": "t1", "name": "w", "input": {"at": 1.50}, "cache_control": EPHEMERAL},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": "down"},
                    {"type": "tool_result", "tool_use_id": "t2", "cache_control": EPHEMERAL},
                    {"type": "text", "text": "Well?"},
                ],
            },
            {"role": "system", "content": "Now in French."},
            {"role": "assistant", "content": ""},
        ],
    )
    assert prompt.messages == (
        Message(role="system", parts=(Text(text="Be brief.", cache="1h"),)),
        Message(role="user", parts=(Text(text="Weather?"),)),
        Message(
            role="assistant",
            parts=(
                Thinking(text="Look it up.", signature="proof"),
                RedactedThinking(encoded="c2VjcmV0"),
                Text(text="One moment."),
                ToolCall(id="t1", name="w", arguments='{"at": 1.5}', cache="5m"),
            ),
        ),
        Message(
            role="tool",
            parts=(
                ToolResult(call_id="t1", parts=(Text(text="down"),), is_error=True),
                ToolResult(call_id="t2", parts=(), cache="5m"),
            ),
        ),
        Message(role="user", parts=(Text(text="Well?"),)),
        Message(role="system", parts=(Text(text="Now in French."),)),
    )
    assert lost(prompt) == {}


def test_what_a_wire_loses_is_told_by_the_callers_path():
    prompt = prompted(
        system="Be brief.",
        messages=[*user({"type": "text", "text": "x"}), CALLED, *user({"type": "tool_result", "tool_use_id": "t1"})],
        tools=[
            {"type": "bash_20250124", "name": "bash"},
            {"name": "f", "input_schema": {}},
            {"name": "g", "input_schema": {}},
        ],
    )
    losses = Losses(prompt, "acme", drop=True)
    for field in ("max_output_tokens", "stop", "messages[0].x", "messages[3].image", "tools[1].strict", "seed"):
        losses.lose(field)
    assert losses.dropped == [
        "max_tokens",
        "stop_sequences",
        "system.x",
        "messages.2.image",
        "tools.2.strict",
        "seed",
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            Image(encoded="aGk=", media_type="image/png"),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}, "cache_control": EPHEMERAL},
            Image(url="https://x/y.png", cache="5m"),
        ),
        (
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="}},
            Document(encoded="aGk="),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}, "title": "Y"},
            Document(url="https://x/y.pdf", title="Y"),
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "cache_control": HOUR},
            Document(file_id="file_1", cache="1h"),
        ),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "é"}},
            Document(encoded=base64.b64encode("é".encode()).decode(), media_type="text/plain"),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "a"}, "title": "T"},
            Document(encoded="YQ==", media_type="text/plain", title="T"),
        ),
        (
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": t} for t in "ab"]},
                "citations": {"enabled": False},
            },
            Document(encoded=base64.b64encode(b"a\nb").decode(), media_type="text/plain"),
        ),
        (
            {
                "type": "search_result",
                "title": "Facts",
                "source": "https://x",
                "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}],
                "cache_control": EPHEMERAL,
            },
            Text(text="Facts\nhttps://x\n\nOne.\nTwo.", cache="5m"),
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [
                    {"type": "text", "text": "See"},
                    {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                    {"type": "document", "source": {"type": "file", "file_id": "f"}},
                ],
            },
            ToolResult(call_id="t", parts=(Text(text="See"), Image(url="https://x/y.png"), Document(file_id="f"))),
        ),
    ],
)
def test_a_block_becomes_a_part(block, expected):
    assert parts(block) == (expected,)


def test_a_document_with_pictures_becomes_its_blocks():
    picture = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    source = {"type": "content", "content": [{"type": "text", "text": "Look:"}, picture]}
    assert parts({"type": "document", "title": "T", "source": source, "cache_control": EPHEMERAL}) == (
        Text(text="T"),
        Text(text="Look:"),
        Image(url="https://x/y.png", cache="5m"),
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, {"tools.0.type": "web_search_20250305"}),
        ({"tools": [{"name": "f", "input_schema": {}, "defer_loading": True}]}, {"tools.0.defer_loading": True}),
        ({"context_management": {"edits": []}}, {"context_management": {"edits": []}}),
        ({"metadata": {"user_id": "u", "team": "t"}}, {"metadata.team": "t"}),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, {"messages.0.name": "Ann"}),
        ({"tool_choice": {"type": "auto", "parallel": 2}}, {"tool_choice.parallel": 2}),
        ({"thinking": {"type": "between_tools"}}, {"thinking.type": "between_tools"}),
        ({"thinking": {"type": "adaptive", "depth": 2}}, {"thinking.depth": 2}),
        ({"speed": "fast"}, {"speed": "fast"}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {}, "name": "n"}}},
            {"output_config.format.name": "n"},
        ),
        ({"output_config": {"task_budget": {"total": 5}}}, {"output_config.task_budget": {"total": 5}}),
        (
            {"messages": user({"type": "text", "text": "x"}, {"type": "container_upload", "file_id": "f"})},
            {"messages.0.content.1.type": "container_upload"},
        ),
        (
            {"messages": user({"type": "text", "text": "x"}, {"type": "image", "source": {"type": "file"}})},
            {"messages.0.content.1.source.type": "file"},
        ),
        (
            {"messages": user({"type": "text", "text": "x"}, {"type": "document", "source": {"type": "cloud"}})},
            {"messages.0.content.1.source.type": "cloud"},
        ),
        *(
            ({"messages": user({"type": kind, "source": source})}, {"messages.0.content.0.source.page": 3})
            for kind, source in (
                ("image", {"type": "url", "url": "https://x/y.png", "page": 3}),
                ("document", {"type": "url", "url": "https://x/y.pdf", "page": 3}),
            )
        ),
        (
            {"messages": user({"type": "text", "text": "x", "citations": [{"cited_text": "y"}]})},
            {"messages.0.content.0.citations": [{"cited_text": "y"}]},
        ),
        (
            {"messages": user({"type": "text", "text": "x", "cache_control": {**HOUR, "scope": "global"}})},
            {"messages.0.content.0.cache_control.scope": "global"},
        ),
    ],
)
def test_what_only_anthropic_can_do_is_lost_under_its_path(changed, expected):
    assert lost(prompted(**changed)) == expected


def test_what_says_the_default_is_not_lost():
    tool = {"name": "f", "input_schema": {}, "defer_loading": False, "allowed_callers": ["direct"]}
    prompt = prompted(
        tools=[{**tool, "eager_input_streaming": True, "input_examples": [], "type": "custom"}],
        messages=[{"role": "assistant", "content": [{**CALL, "caller": {"type": "direct"}}]}],
        speed="standard",
    )
    assert lost(prompt) == {}
    nothing = b'{"model":"m","max_tokens":1,"container":null,"system":null,"top_k":null,"messages":[{"role":"user",'
    assert SPEECH.prompt_of(SPEECH.parse_request(nothing + b'"content":"x"}]}')).others == {}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "x", "citations": []},
        {"type": "text", "text": "x", "citations": None},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}, "transformations": {}},
        {
            "type": "search_result",
            "title": "t",
            "source": "s",
            "content": [{"type": "text", "text": "x"}],
            "citations": {"enabled": False},
        },
    ],
)
def test_a_block_that_asks_for_nothing_more_loses_nothing(block):
    assert len(parts(block)) == 1


def test_a_request_that_loses_every_turn_has_nothing_to_ask():
    with pytest.raises(InvalidRequest, match="messages: at least one message is required"):
        prompted(system="x", messages=user({"type": "container_upload", "file_id": "f"}))


def test_a_marker_for_the_whole_request_stands_after_the_last_part_that_can_bear_one():
    thought = {"type": "thinking", "thinking": "x", "signature": ""}
    turns = [*user({"type": "text", "text": "a"}), {"role": "assistant", "content": [thought, CALL, thought]}]
    assert [message.parts for message in prompted(cache_control=HOUR, messages=turns).messages] == [
        (Text(text="a"),),
        (Thinking(text="x"), ToolCall(id="t1", name="f", arguments='{"a": 1}', cache="1h"), Thinking(text="x")),
    ]
    turns[1]["content"] = [thought]
    assert prompted(cache_control=HOUR, messages=turns).messages[0].parts == (Text(text="a", cache="1h"),)
    kept = prompted(cache_control=HOUR, messages=user({"type": "text", "text": "a", "cache_control": EPHEMERAL}))
    assert kept.messages[0].parts == (Text(text="a", cache="5m"),)


@pytest.mark.parametrize(
    ("changed", "expected", "name"),
    [
        ({}, None, "output_config.effort"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Reasoning(budget_tokens=2048), "thinking"),
        ({"thinking": {"type": "disabled"}}, Reasoning(enabled=False), "thinking"),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, Reasoning(summary="auto"), "thinking"),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning(summary="none"), "thinking"),
        ({"thinking": {"type": "between_tools"}}, None, "thinking"),
        (
            {"thinking": {"type": "between_tools"}, "output_config": {"effort": "low"}},
            Reasoning(effort="low"),
            "thinking",
        ),
        ({"output_config": {"effort": "xhigh"}}, Reasoning(effort="xhigh"), "output_config.effort"),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            Reasoning(effort="max"),
            "thinking",
        ),
    ],
)
def test_how_much_to_think_is_read_from_both_fields(changed, expected, name):
    prompt = prompted(**changed)
    assert prompt.reasoning == expected
    assert prompt.names["reasoning"] == name


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ({"type": "auto"}, ToolChoice()),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice(mode="required", parallel=False)),
        ({"type": "auto", "disable_parallel_tool_use": False}, ToolChoice(parallel=True)),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="tool", name="f")),
        ({"type": "none"}, ToolChoice(mode="none")),
    ],
)
def test_a_tool_choice_is_read(choice, expected):
    assert prompted(tool_choice=choice).tool_choice == expected


def test_what_is_asked_for_is_read():
    schema = {"type": "object", "properties": {}}
    prompt = prompted(
        stop_sequences=["END", "\n"],
        temperature=1,
        top_p=0.5,
        top_k=3,
        metadata={"user_id": "u"},
        service_tier="standard_only",
        output_config={"format": {"type": "json_schema", "schema": schema}},
        tools=[{"name": "f", "description": "d", "input_schema": schema, "strict": True, "cache_control": EPHEMERAL}],
    )
    assert (prompt.max_output_tokens, prompt.stop, prompt.user) == (64, ("END", "\n"), "u")
    assert (prompt.temperature, prompt.top_p, prompt.top_k, prompt.service_tier) == (1.0, 0.5, 3, "default")
    raw = msgspec.Raw(json.dumps(schema).encode())
    assert prompt.format == Format(kind="schema", schema=raw, strict=True)
    [tool] = prompt.tools
    assert (tool.name, tool.description, tool.parameters, tool.strict, tool.cache) == ("f", "d", raw, True, "5m")
    assert lost(prompt) == {}
