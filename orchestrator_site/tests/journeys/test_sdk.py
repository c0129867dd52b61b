"""The official openai SDK, unmodified, against the platform: through the demo provider and two independent mocks.

Every call is found in the ledger once, at the cost that the provider's own usage comes to.
"""

import asyncio
import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from orchestrator_site.tests.journeys.catalogue import cost_of

HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]
WEATHER = [{"role": "user", "content": "What is the weather in Oslo? Use the tool get_weather."}]
PERSON = [{"role": "user", "content": "Name a person."}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
# One black pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Erk"
    "Jggg=="
)


class Person(BaseModel):
    name: str
    age: int


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def settled(ledger, request_id, usage, **expected):
    """The one settlement of a request, as its provider's usage says it should be."""
    row = ledger.only(request_id)
    assert row["kind"] == "settlement"
    assert (row["input_tokens"], row["output_tokens"]) == (usage.prompt_tokens, usage.completion_tokens)
    assert row["cost_nano"] == row["charge_nano"] == cost_of(usage) > 0
    assert row["usage_source"] == "provider"
    assert row["outcome"] == "completed"
    for name, value in expected.items():
        assert row[name] == value, name
    return row


def test_an_answer(client, ledger, model):
    answer = client.chat.completions.create(model=model, messages=HELLO)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    row = settled(ledger, answer._request_id, answer.usage, stream=False, requested_model=model)
    assert f"{row['provider']}/{row['model']}" == model


def test_a_stream(client, ledger, model):
    with client.chat.completions.with_raw_response.create(model=model, messages=HELLO, stream=True).parse() as stream:
        request_id = stream.response.headers["x-request-id"]
        chunks = list(stream)
    assert text_of(chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    # Nobody asked for usage: it is not shown, and metered all the same.
    assert all(chunk.choices for chunk in chunks)
    assert not any(chunk.usage for chunk in chunks)
    row = ledger.only(request_id)
    assert (row["usage_source"], row["outcome"], row["stream"]) == ("provider", "completed", True)
    assert row["output_tokens"] > 0
    assert row["cost_nano"] > 0
    assert row["time_to_first_chunk_ms"] is not None


def test_a_stream_with_usage(client, ledger, model):
    stream = client.chat.completions.create(
        model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    request_id = stream.response.headers["x-request-id"]
    *chunks, last = list(stream)
    assert last.choices == []
    assert not any(chunk.usage for chunk in chunks)
    settled(ledger, request_id, last.usage, stream=True)


def test_stream_and_answer_say_the_same_and_cost_the_same(client, ledger, model):
    whole = client.chat.completions.create(model=model, messages=HELLO)
    stream = client.chat.completions.create(model=model, messages=HELLO, stream=True)
    assert text_of(stream) == whole.choices[0].message.content
    row = ledger.only(stream.response.headers["x-request-id"])
    assert row["cost_nano"] == cost_of(whole.usage)


def test_tools(client, ledger, model):
    answer = client.chat.completions.create(model=model, messages=WEATHER, tools=TOOLS)
    (call,) = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    settled(ledger, answer._request_id, answer.usage, finish_reason="tool_calls")
    told = [*WEATHER, answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "4 °C, snow"}]
    assert client.chat.completions.create(model=model, messages=told, tools=TOOLS).choices[0].message.content


def test_tools_in_a_stream(client, ledger, model):
    with client.chat.completions.stream(
        model=model, messages=WEATHER, tools=TOOLS, stream_options={"include_usage": True}
    ) as stream:
        answer = stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    settled(ledger, stream._response.headers["x-request-id"], answer.usage, finish_reason="tool_calls")


def test_a_json_schema(client, ledger, model):
    answer = client.chat.completions.parse(model=model, messages=PERSON, response_format=Person)
    assert isinstance(answer.choices[0].message.parsed, Person)
    settled(ledger, answer._request_id, answer.usage)


def test_a_json_schema_in_a_stream(client, model):
    with client.chat.completions.stream(model=model, messages=PERSON, response_format=Person) as stream:
        answer = stream.get_final_completion()
    assert isinstance(answer.choices[0].message.parsed, Person)


def test_pictures_and_unknown_fields_reach_the_provider_as_they_were_sent(product, client, model):
    parts = [
        {"type": "text", "text": "What is this? Ünïcödé ✓"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
        {"type": "a_part_of_tomorrow", "payload": {"deep": [1, 2.5, None, True]}},
    ]
    messages = [{"role": "user", "content": parts}]
    extra = {"a_field_of_tomorrow": {"x": [1.0, "ß"]}}
    answer = client.chat.completions.create(model=model, messages=messages, temperature=0.25, extra_body=extra)
    assert answer.choices[0].message.content
    provider, _, name = model.partition("/")
    if provider in product.peers:
        received = product.peers[provider].bodies()[-1]
        assert received["messages"] == messages
        assert received["a_field_of_tomorrow"] == extra["a_field_of_tomorrow"]
        assert received["temperature"] == 0.25
        assert received["model"] == name
        assert "stream" not in received


def test_the_demo_says_that_it_saw_the_picture(client):
    parts = [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    answer = client.chat.completions.create(model="voice/demo-chat", messages=[{"role": "user", "content": parts}])
    assert "I received 1 image." in answer.choices[0].message.content


async def test_twenty_at_once(async_client, ledger, model):
    async def whole(number):
        messages = [{"role": "user", "content": f"Say the number {number}."}]
        answer = await async_client.chat.completions.create(model=model, messages=messages)
        return answer._request_id, answer.usage

    async def streamed(number):
        messages = [{"role": "user", "content": f"Say the number {number}."}]
        stream = await async_client.chat.completions.create(
            model=model, messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        return stream.response.headers["x-request-id"], chunks[-1].usage

    answers = await asyncio.gather(*(whole(n) if n % 2 else streamed(n) for n in range(20)))
    assert len({request_id for request_id, _ in answers}) == 20
    for request_id, usage in answers:
        settled(ledger, request_id, usage)


def test_models(client):
    names = {card.id for card in client.models.list()}
    assert {"voice/demo-chat", "mock/mock", "careful"} <= names
    card = client.models.retrieve("voice/demo-chat")
    assert (card.id, card.object, card.owned_by) == ("voice/demo-chat", "model", "voice")
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("voice/no-such-model")
    assert caught.value.code == "model_not_found"


def test_the_default_model_is_the_tenants(client):
    answer = client.chat.completions.create(model="default", messages=HELLO)
    assert "This is a demo answer" in answer.choices[0].message.content


def test_the_same_under_api(product, acme_key, ledger):
    with openai.OpenAI(base_url=product.base_url.replace("/v1", "/api/v1"), api_key=acme_key) as client:
        answer = client.chat.completions.create(model="voice/demo-mini", messages=HELLO)
        assert client.models.retrieve("voice/demo-mini").id == "voice/demo-mini"
    settled(ledger, answer._request_id, answer.usage)


def test_many_choices(client, ledger):
    answer = client.chat.completions.create(model="voice/demo-chat", messages=HELLO, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    settled(ledger, answer._request_id, answer.usage)


def test_an_answer_cut_by_its_length(client, ledger):
    answer = client.chat.completions.create(model="voice/demo-chat", messages=HELLO, max_completion_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    settled(ledger, answer._request_id, answer.usage, finish_reason="length")
