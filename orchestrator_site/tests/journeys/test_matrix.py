"""Every dialect that callers speak against every wire that providers speak, over real HTTP, by the vendors' own SDKs.

Each call is found in the ledger once, at the cost that its tokens come to.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai
import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState

from orchestrator_site.tests.journeys.catalogue import RATES
from orchestrator_site.tests.journeys.matrix_table import documented, note, seen, table, write
from orchestrator_site.tests.journeys.peers import node

HELLO = "Say hello."
WEATHER = "What is the weather in Oslo? Use the tool get_weather."
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WIRES = {
    "openai (demo)": "voice/demo-chat",
    "openai (llmock)": "llmock/gpt-4o",
    "openai": "aimock/gpt-4o",
    "anthropic": "aimock-anthropic/claude-sonnet-4-5",
    "gemini": "aimock-gemini/gemini-2.5-flash",
    "ollama": "aimock-ollama/llama3.2",
}


@dataclass
class Told:
    """What a caller got, whatever its SDK calls it. `output_tokens` is None where the answer shows no usage."""

    request_id: str
    text: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    output_tokens: int | None = None


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    if "aimock" in WIRES[request.param] and node() is None:
        pytest.skip("aimock is not installed: `make test` does that where Node is")
    return str(request.param)


@pytest.fixture
def claude(product: Any, acme_key: str) -> Iterator[anthropic.Anthropic]:
    root = product.base_url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=root, api_key=acme_key, max_retries=0, timeout=30) as client:
        yield client


def chat(client: openai.OpenAI, model: str, text: str, *, tools: bool, stream: bool) -> Told:
    asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}]}
    if tools:
        asked["tools"] = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
    if not stream:
        whole = client.chat.completions.with_raw_response.create(**asked)
        answer = whole.parse()
    else:
        whole = client.chat.completions.with_raw_response.create(
            **asked, stream=True, stream_options={"include_usage": True}
        )
        state = ChatCompletionStreamState()
        for chunk in whole.parse():
            state.handle_chunk(chunk)
        answer = state.get_final_completion()
    said = answer.choices[0].message
    calls = [(call.function.name, call.function.arguments) for call in said.tool_calls or ()]
    return Told(whole.headers["x-request-id"], said.content or "", calls, answer.usage.completion_tokens)


def completions(client: openai.OpenAI, model: str, text: str, *, tools: bool, stream: bool) -> Told:
    asked: dict[str, Any] = {"model": model, "prompt": text, "max_tokens": 200, "stream": stream}
    raw: Any = client.completions.with_raw_response.create(**asked)
    if not stream:
        answer = raw.parse()
        return Told(raw.headers["x-request-id"], answer.choices[0].text, [], answer.usage.completion_tokens)
    said = "".join(chunk.choices[0].text for chunk in raw.parse() if chunk.choices)
    return Told(raw.headers["x-request-id"], said)


def messages(client: anthropic.Anthropic, model: str, text: str, *, tools: bool, stream: bool) -> Told:
    asked: dict[str, Any] = {"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": text}]}
    if tools:
        asked["tools"] = [{"name": "get_weather", "input_schema": CITY}]
    if stream:
        with client.messages.stream(**asked) as events:
            answer = events.get_final_message()
            request_id = events.response.headers["x-request-id"]
    else:
        raw = client.messages.with_raw_response.create(**asked)
        answer, request_id = raw.parse(), raw.headers["x-request-id"]
        assert answer._request_id == request_id
    told = Told(request_id, output_tokens=answer.usage.output_tokens)
    for block in answer.content:
        if block.type == "text":
            told.text += block.text
        elif block.type == "tool_use":
            told.calls.append((block.name, json.dumps(block.input)))
    return told


def responses(client: openai.OpenAI, model: str, text: str, *, tools: bool, stream: bool) -> Told:
    asked: dict[str, Any] = {"model": model, "input": text, "store": False}
    if tools:
        asked["tools"] = [{"type": "function", "name": "get_weather", "parameters": CITY, "strict": False}]
    if stream:
        raw: Any = client.responses.with_raw_response.create(**asked, stream=True)
        (answer,) = [event.response for event in raw.parse() if event.type == "response.completed"]
    else:
        raw = client.responses.with_raw_response.create(**asked)
        answer = raw.parse()
    calls = [(item.name, item.arguments) for item in answer.output if item.type == "function_call"]
    return Told(raw.headers["x-request-id"], answer.output_text, calls, answer.usage.output_tokens)


DIALECTS: dict[str, Any] = {"chat": chat, "responses": responses, "completions": completions, "messages": messages}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("tools", [False, True], ids=["text", "tools"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_any_dialect_reaches_any_wire(client, claude, ledger, wire, dialect, tools, stream):
    if dialect == "completions" and tools:
        pytest.skip("legacy completions have no tools")
    speaker: Any = claude if dialect == "messages" else client
    told = DIALECTS[dialect](speaker, WIRES[wire], WEATHER if tools else HELLO, tools=tools, stream=stream)
    if tools:
        ((name, arguments),) = told.calls
        assert name == "get_weather"
        assert isinstance(json.loads(arguments)["city"], str)
    else:
        assert len(told.text) > 10
    row = ledger.only(told.request_id)
    # aimock's Ollama reports no tokens: they are counted.
    source = "estimated" if wire == "ollama" else "provider"
    assert (row["outcome"], row["usage_source"], row["stream"]) == ("completed", source, stream)
    assert f"{row['provider']}/{row['model']}" == WIRES[wire]
    assert row["output_tokens"] > 0
    assert wire == "ollama" or told.output_tokens in (None, row["output_tokens"])
    assert (
        row["charge_nano"]
        == row["cost_nano"]
        == RATES.cost(
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cached_tokens=row["cache_read_tokens"],
        )
    )
    note(dialect, wire, tools=tools, stream=stream)


def test_the_documents_table_is_what_was_shown():
    """After all of the above in one run; `WRITE_MATRIX=1` writes it."""
    if any(len(seen[dialect]) < len(WIRES) for dialect in DIALECTS):
        pytest.skip("only a whole run shows the whole matrix")
    made = table([*WIRES])
    if os.environ.get("WRITE_MATRIX"):
        write(made)
    assert documented() == made
