"""What callers of POST /v1/responses ask for beside their input."""

import json

import pytest

from common.errors import InvalidRequest
from providers.tests.responses_speech import FUNCTION, SPEECH, lost, prompted
from providers.wire.neutral import (
    Format,
    Losses,
    Message,
    Prompt,
    Reasoning,
    Text,
    Tool,
    ToolChoice,
)

HI = Message(role="user", parts=(Text(text="Hi"),))


def test_functions_are_tools_and_those_that_the_vendor_runs_are_lost():
    prompt = prompted(
        tools=[
            {"type": "web_search"},
            {**FUNCTION, "description": "Does.", "cache_control": {"type": "ephemeral"}},
            {"type": "mcp", "server_label": "s"},
            {"type": "function", "name": "g", "parameters": None, "strict": None},
        ]
    )
    schema = prompt.tools[0].parameters
    assert schema is not None
    assert json.loads(bytes(schema)) == {"type": "object"}
    assert prompt.tools == (
        Tool(name="f", description="Does.", parameters=schema, strict=True, cache="5m"),
        Tool(name="g"),
    )
    assert (prompt.names["tools[0]"], prompt.names["tools[1]"]) == ("tools[1]", "tools[3]")
    assert lost(prompt) == {
        "tools[0]": {"type": "web_search"},
        "tools[2]": {"type": "mcp", "server_label": "s"},
    }


@pytest.mark.parametrize(
    ("tools", "param"),
    [
        ([{"name": "f"}], "tools[0].type"),
        ([{"type": "function", "function": {"name": "f"}}], "tools[0].name"),
        ([{"type": "function", "name": "f", "parameters": []}], "tools[0].parameters"),
        ({"type": "function"}, "tools"),
    ],
)
def test_a_tool_that_is_none_is_named(tools, param):
    with pytest.raises(InvalidRequest) as caught:
        prompted(tools=tools)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, ToolChoice(mode="auto")),
        ({"tool_choice": "none"}, ToolChoice(mode="none")),
        ({"tool_choice": "required", "parallel_tool_calls": False}, ToolChoice(mode="required", parallel=False)),
        ({"tool_choice": {"type": "function", "name": "f"}}, ToolChoice(mode="tool", name="f")),
        ({"parallel_tool_calls": True}, ToolChoice(parallel=True)),
    ],
)
def test_the_choice_among_tools(fields, meant):
    prompt = prompted(tools=[FUNCTION], **fields)
    assert prompt.tool_choice == meant
    assert prompt.others == {}


def test_a_choice_that_nobody_else_offers_is_lost_and_one_that_nobody_offers_is_refused():
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}
    assert lost(prompted(tool_choice=allowed)) == {"tool_choice": allowed}
    for wrong, param in (("any", "tool_choice"), ({"type": "function"}, "tool_choice.name"), ({}, "tool_choice.type")):
        with pytest.raises(InvalidRequest) as caught:
            prompted(tool_choice=wrong)
        assert caught.value.param == param


@pytest.mark.parametrize(
    ("given", "kind"), [({"type": "text"}, "text"), ({"type": "json_object"}, "json"), (None, None)]
)
def test_a_format_without_a_schema(given, kind):
    found = prompted(text={"format": given}).format
    assert (found.kind if found else None) == kind


def test_a_format_with_a_schema():
    given = {"type": "json_schema", "name": "n", "description": "d", "schema": {"type": "object"}, "strict": True}
    found = prompted(text={"format": given}).format
    assert found is not None
    assert found == Format(kind="schema", name="n", description="d", schema=found.schema, strict=True)
    assert json.loads(bytes(found.schema or b"")) == {"type": "object"}
    for missing in ("name", "schema"):
        with pytest.raises(InvalidRequest) as caught:
            prompted(text={"format": {name: value for name, value in given.items() if name != missing}})
        assert caught.value.param == f"text.format.{missing}"
    with pytest.raises(InvalidRequest, match=r"text\.format\.type"):
        prompted(text={"format": {"type": "grammar"}})


def test_verbosity_is_for_servers_that_know_it():
    prompt = prompted(text={"verbosity": "low"})
    assert lost(prompt) == {"verbosity": "low"}
    with pytest.raises(InvalidRequest) as caught:
        Losses(prompt, "claude", drop=False).lose("verbosity")
    assert caught.value.param == "text.verbosity"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"effort": "high", "summary": "auto"}, Reasoning(effort="high", summary="auto")),
        ({"effort": "low", "generate_summary": "concise"}, Reasoning(effort="low", summary="concise")),
        ({"effort": "none"}, Reasoning(enabled=False)),
        ({"effort": None, "summary": None, "context": "auto", "mode": "standard"}, None),
        ({}, None),
    ],
)
def test_how_much_to_think(given, meant):
    prompt = prompted(reasoning=given)
    assert prompt.reasoning == meant
    assert prompt.others == {}


def test_how_the_answer_is_drawn():
    prompt = prompted(temperature=0.5, top_p=1, max_output_tokens=9, service_tier="flex", user="u")
    assert (prompt.temperature, prompt.top_p, prompt.max_output_tokens) == (0.5, 1.0, 9)
    assert (prompt.service_tier, prompt.user) == ("flex", "u")
    assert prompted(service_tier="auto").service_tier == ""


@pytest.mark.parametrize(
    ("fields", "logprobs", "top"),
    [
        ({"include": ["message.output_text.logprobs"]}, True, None),
        ({"include": ["message.output_text.logprobs"], "top_logprobs": 3}, True, 3),
        ({"top_logprobs": 2}, True, 2),
        ({"top_logprobs": 0}, False, None),
        ({"include": ["reasoning.encrypted_content"]}, False, None),
        ({"include": []}, False, None),
    ],
)
def test_log_probabilities_are_asked_for(fields, logprobs, top):
    prompt = prompted(**fields)
    assert (prompt.logprobs, prompt.top_logprobs) == (logprobs, top)
    assert prompt.others == {}


def test_who_is_asking_has_a_newer_name():
    prompt = prompted(safety_identifier="s")
    assert (prompt.user, prompt.names["user"], prompt.others) == ("s", "safety_identifier", {})
    assert prompted(user="u", safety_identifier="u").others == {}
    both = prompted(user="u", safety_identifier="s")
    assert (both.user, lost(both)) == ("u", {"safety_identifier": "s"})


def test_what_the_platform_does_itself_or_what_says_nothing_is_no_loss():
    prompt = prompted(
        store=False,
        metadata={"a": "b"},
        background=False,
        truncation="disabled",
        previous_response_id="resp_1",
        max_tool_calls=3,
        stream=True,
        stream_options={"include_obfuscation": False},
        context_management=[],
    )
    assert prompt == Prompt(messages=(HI,), names=prompt.names)
    nothing = dict.fromkeys(("tools", "tool_choice", "text", "reasoning", "include", "user", "conversation", "prompt"))
    body = json.dumps({"model": "m", "input": "Hi", **nothing}).encode()
    assert SPEECH.prompt_of(SPEECH.parse_request(body)).others == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", True),
        ("truncation", "auto"),
        ("conversation", "conv_1"),
        ("prompt", {"id": "p"}),
        ("include", ["file_search_call.results"]),
        ("moderation", {"model": "m"}),
        ("prompt_cache_key", "k"),
        ("unheard_of", 1),
    ],
)
def test_what_has_no_place_is_lost(field, value):
    name = "include[0]" if field == "include" else field
    assert lost(prompted(**{field: value})).keys() == {name}
