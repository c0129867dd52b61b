from typing import Any

import msgspec
import pytest

from common.errors import InvalidRequest
from providers.tests.wire_prompts import ASKED, SCHEMA, WEATHER, body_of, prompt, target_of
from providers.wire.gemini.adapter import GeminiWire
from providers.wire.neutral import (
    Document,
    Format,
    Message,
    Reasoning,
    RedactedThinking,
    Text,
    Tool,
    ToolChoice,
)
from providers.wire.shapes import ChatRequest, Quirks

BASE = "https://generativelanguage.googleapis.com/v1beta"
WIRE = GeminiWire()
OLDER = target_of("gemini-2.5-flash", BASE)
NEWER = target_of("gemini-3-pro-preview", BASE)
DROPPING = target_of("gemini-2.5-flash", BASE, drop=True)


def contents(*messages: Message, target=OLDER) -> Any:
    return body_of(WIRE, prompt(messages=messages), target)["contents"]


def config(**asked: Any) -> Any:
    target = asked.pop("target", OLDER)
    return body_of(WIRE, prompt(**asked), target).get("generationConfig")


def test_a_prompt_is_sent_to_its_model():
    request = WIRE.build_prompt(prompt(), OLDER, stream=False)
    assert request.url == f"{BASE}/models/gemini-2.5-flash:generateContent"
    assert request.headers == OLDER.headers
    assert request.body == b'{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}'
    assert (request.stream, request.dropped) == (False, ())


@pytest.mark.parametrize(
    ("model", "quirks", "url"),
    [
        ("gemini-2.5-flash", Quirks(), f"{BASE}/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("models/gemini-2.5-flash", Quirks(), f"{BASE}/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("a b?", Quirks(query={"v": "1"}), f"{BASE}/models/a%20b%3F:streamGenerateContent?alt=sse&v=1"),
        (
            "gemini-2.5-pro",
            Quirks(paths={"chat": "/publishers/google/models/{model}:generateContent"}),
            f"{BASE}/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ),
    ],
)
def test_a_stream_is_asked_for_by_the_url(model, quirks, url):
    assert WIRE.build_prompt(prompt(), target_of(model, BASE, quirks=quirks), stream=True).url == url


def test_a_server_without_the_endpoint_is_told():
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(prompt(), target_of("m", BASE, quirks=Quirks(paths={"chat": ""})), stream=True)
    assert raised.value.param == "model"


def test_every_setting_has_its_name():
    assert config(
        max_output_tokens=100,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop=("END",),
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        choices=2,
    ) == {
        "candidateCount": 2,
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "stopSequences": ["END"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
    }


def test_settings_that_are_zero_are_sent():
    assert config(temperature=0.0, seed=0) == {"temperature": 0.0, "seed": 0}


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (Format(), None),
        (Format(kind="json"), {"responseMimeType": "application/json"}),
        (
            Format(kind="schema", name="n", schema=SCHEMA, strict=True),
            {"responseMimeType": "application/json", "responseJsonSchema": msgspec.json.decode(SCHEMA)},
        ),
    ],
)
def test_a_format_is_asked_for(wanted, sent):
    assert config(format=wanted) == sent


@pytest.mark.parametrize(
    ("reasoning", "older", "newer"),
    [
        (Reasoning(enabled=False), {"thinkingBudget": 0}, {"thinkingLevel": "MINIMAL"}),
        (Reasoning(effort="none"), {"thinkingBudget": 0}, {"thinkingLevel": "MINIMAL"}),
        (Reasoning(), {"includeThoughts": True}, {"includeThoughts": True}),
        (
            Reasoning(budget_tokens=2048),
            {"includeThoughts": True, "thinkingBudget": 2048},
            {"includeThoughts": True, "thinkingBudget": 2048},
        ),
        (
            Reasoning(effort="low"),
            {"includeThoughts": True, "thinkingBudget": 1024},
            {"includeThoughts": True, "thinkingLevel": "LOW"},
        ),
        (
            Reasoning(effort="xhigh"),
            {"includeThoughts": True, "thinkingBudget": 24_576},
            {"includeThoughts": True, "thinkingLevel": "HIGH"},
        ),
    ],
)
def test_thinking_is_asked_for_as_the_generation_knows_it(reasoning, older, newer):
    assert config(reasoning=reasoning) == {"thinkingConfig": older}
    assert config(reasoning=reasoning, target=NEWER) == {"thinkingConfig": newer}


@pytest.mark.parametrize(
    ("choice", "strict", "sent"),
    [
        (None, None, None),
        (ToolChoice(), None, None),
        (ToolChoice(), True, {"mode": "VALIDATED"}),
        (ToolChoice(mode="none"), None, {"mode": "NONE"}),
        (ToolChoice(mode="required"), True, {"mode": "ANY"}),
        (
            ToolChoice(mode="tool", name="get_weather", parallel=True),
            None,
            {"mode": "ANY", "allowedFunctionNames": ["get_weather"]},
        ),
    ],
)
def test_tools_are_declared_and_chosen(choice, strict, sent):
    tools = (msgspec.structs.replace(WEATHER, strict=strict), Tool(name="now"))
    body = body_of(WIRE, prompt(tools=tools, tool_choice=choice), OLDER)
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "get_weather", "description": "Now", "parametersJsonSchema": msgspec.json.decode(SCHEMA)},
                {"name": "now"},
            ]
        }
    ]
    assert body.get("toolConfig") == (None if sent is None else {"functionCallingConfig": sent})


LOSSES = [
    (prompt(service_tier="scale"), "service_tier"),
    (prompt(reasoning=Reasoning(effort="enormous")), "reasoning"),
    (prompt(reasoning=Reasoning(effort="enormous"), names={"reasoning": "reasoning_effort"}), "reasoning_effort"),
    (prompt(tool_choice=ToolChoice(parallel=False), tools=(WEATHER,)), "tool_choice.parallel"),
    (
        prompt(
            tool_choice=ToolChoice(parallel=False),
            tools=(WEATHER,),
            names={"tool_choice.parallel": "parallel_tool_calls"},
        ),
        "parallel_tool_calls",
    ),
    (prompt(others={"logit_bias": msgspec.Raw(b'{"1":5}')}), "logit_bias"),
    (prompt(messages=(Message(role="user", name="Bob", parts=ASKED.parts),)), "messages[0].name"),
    (prompt(Document(file_id="file-abc")), "messages[0].document.file_id"),
    (prompt(messages=(ASKED, Message(role="assistant", parts=(RedactedThinking(encoded="x"),)))),
     "messages[1].redacted_thinking"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "name"), LOSSES)
def test_what_gemini_cannot_be_told_is_refused_or_dropped(asked, name):
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(asked, OLDER, stream=False)
    assert (raised.value.param, raised.value.code) == (name, "unsupported_parameter")
    assert WIRE.build_prompt(asked, DROPPING, stream=False).dropped == (name,)


def test_what_a_server_does_not_know_is_lost_and_what_it_calls_otherwise_renamed():
    quirks = Quirks(unsupported=("topK", "seed"), renamed={"maxOutputTokens": "max_tokens"})
    asked = prompt(top_k=4, max_output_tokens=9)
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(asked, target_of("m", BASE, quirks=quirks), stream=False)
    assert raised.value.param == "top_k"
    request = WIRE.build_prompt(asked, target_of("m", BASE, quirks=quirks, drop=True), stream=False)
    assert request.dropped == ("top_k",)
    assert msgspec.json.decode(request.body)["generationConfig"] == {"max_tokens": 9}


def test_a_message_is_named_by_the_path_that_its_caller_knows():
    named = prompt(messages=(Message(role="user", name="Bob", parts=ASKED.parts),), names={"messages[0]": "messages.4"})
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(named, OLDER, stream=False)
    assert raised.value.param == "messages.4.name"


def test_what_asks_for_nothing_and_what_google_knows_is_fine():
    others = {"logit_bias": msgspec.Raw(b"null"), "cached_content": msgspec.Raw(b'"cachedContents/1"')}
    marked = Message(role="user", parts=(Text(text="Hello", cache="5m"),))
    request = WIRE.build_prompt(prompt(messages=(marked,), others=others, service_tier="flex"), OLDER, stream=False)
    assert request.body == (
        b'{"contents":[{"role":"user","parts":[{"text":"Hello"}]}],"serviceTier":"flex",'
        b'"cachedContent":"cachedContents/1"}'
    )
    assert WIRE.build_prompt(prompt(service_tier="default"), OLDER, stream=False).dropped == ()


def test_nothing_passes_through():
    request = ChatRequest("m", False, False, None, 1, {}, 0)
    assert WIRE.native == frozenset()
    for refused in (
        lambda: WIRE.build_request(request, OLDER),
        lambda: WIRE.parse_response(b""),
        lambda: WIRE.parse_stream(request),
    ):
        with pytest.raises(InvalidRequest):
            refused()


def test_a_credential_has_a_header_of_its_own():
    [(name, secret)] = WIRE.credential_headers("AIzaSecret")
    assert (name, secret.reveal()) == ("x-goog-api-key", "AIzaSecret")
