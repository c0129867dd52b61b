"""The demo provider over real HTTP."""

import asyncio
import json
import threading
from typing import Any

import httpx2
import jsonschema  # type: ignore[import-untyped]
import pytest
import uvicorn

from orchestrator_site.demo.provider import DemoProvider
from orchestrator_site.embedded.notes import free_port
from orchestrator_site.embedded.processes import wait_until

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "read_clock", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def provider():
    """A provider that does not dawdle; its address."""
    port = free_port()
    config = uvicorn.Config(
        DemoProvider(key="demo-key", pace=0.0), host="127.0.0.1", port=port, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert wait_until(lambda: server.started, 10)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(provider):
    with httpx2.Client(base_url=provider, headers={"Authorization": "Bearer demo-key"}, timeout=10) as client:
        yield client


def ask(client, content="Hello there", /, **fields):
    body = {"model": "demo-chat", "messages": [{"role": "user", "content": content}], **fields}
    return client.post("/v1/chat/completions", json=body)


def stream(client, content="Hello there", /, **fields):
    """The events of a streamed answer, which ends in [DONE]."""
    answer = ask(client, content, stream=True, **fields)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, done = answer.text.removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


def deltas(events, index=0):
    return [
        choice["delta"]
        for event in events
        for choice in event["choices"]
        if choice["index"] == index and choice["delta"]
    ]


def text_of(events, index=0):
    return "".join(delta.get("content") or "" for delta in deltas(events, index))


def test_an_answer_says_that_it_is_a_demo_and_quotes_the_question(client):
    answer = ask(client, "What is  the time?").json()
    text = answer["choices"][0]["message"]["content"]
    assert "demo answer" in text
    assert "“What is the time?”" in text
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert ask(client, "What is  the time?").json()["choices"] == answer["choices"]


def test_a_stream_says_what_the_whole_answer_says_word_by_word(client):
    whole = ask(client).json()["choices"][0]["message"]["content"]
    events = stream(client)
    assert text_of(events) == whole
    assert len(events) > len(whole.split())
    assert deltas(events)[0]["role"] == "assistant"
    assert events[-1]["choices"][0]["finish_reason"] == "stop"
    assert len({event["id"] for event in events}) == 1


def test_usage_in_a_stream_comes_last_and_only_when_asked_for(client):
    assert all("usage" not in event for event in stream(client))
    *before, last = stream(client, stream_options={"include_usage": True})
    assert all(event["usage"] is None and event["choices"] for event in before)
    assert last["choices"] == []
    assert last["usage"] == ask(client).json()["usage"]
    assert last["usage"]["total_tokens"] == last["usage"]["prompt_tokens"] + last["usage"]["completion_tokens"]


def test_more_choices_cost_more(client):
    one, three = ask(client).json(), ask(client, n=3).json()
    assert [choice["index"] for choice in three["choices"]] == [0, 1, 2]
    assert three["usage"]["completion_tokens"] == 3 * one["usage"]["completion_tokens"]
    events = stream(client, n=2)
    assert text_of(events, 0) == text_of(events, 1) == one["choices"][0]["message"]["content"]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_token_limit_cuts(client, name):
    answer = ask(client, **{name: 5}).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5
    events = stream(client, **{name: 5})
    assert text_of(events) == answer["choices"][0]["message"]["content"]
    assert events[-1]["choices"][0]["finish_reason"] == "length"


def test_a_stop_sequence_ends_the_answer_before_it(client):
    answer = ask(client, stop=["answer"]).json()["choices"][0]
    assert answer["message"]["content"] == "This is a demo "
    assert answer["finish_reason"] == "stop"


def test_as_many_words_as_asked_for(client):
    assert len(ask(client, "Write 321 words, please").json()["choices"][0]["message"]["content"].split()) == 321


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ("Please call get_weather", {}),
        ("Get weather for Oslo", {}),
        ("Use a tool", {}),
        ("Hello", {"tool_choice": "required"}),
        ("Hello", {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}}),
    ],
)
def test_a_tool_is_called_with_arguments_that_fit_it(client, content, fields):
    answer = ask(client, content, tools=[WEATHER, CLOCK], **fields).json()["choices"][0]
    (call,) = answer["message"]["tool_calls"]
    assert answer["finish_reason"] == "tool_calls"
    assert answer["message"]["content"] is None
    assert call["function"]["name"] == "get_weather"
    jsonschema.validate(json.loads(call["function"]["arguments"]), WEATHER["function"]["parameters"])


@pytest.mark.parametrize(("content", "fields"), [("Hello", {}), ("Use a tool", {"tool_choice": "none"})])
def test_no_tool_is_called_unasked(client, content, fields):
    message = ask(client, content, tools=[WEATHER], **fields).json()["choices"][0]["message"]
    assert "tool_calls" not in message
    assert "demo answer" in message["content"]


def test_streamed_tool_calls_come_in_fragments_that_join_to_the_whole(client):
    tools = {"tools": [WEATHER, CLOCK], "stream_options": {"include_usage": True}}
    whole = ask(client, "get_weather and read_clock", **tools).json()
    events = stream(client, "get_weather and read_clock", **tools)
    pieces = [piece for delta in deltas(events) for piece in delta.get("tool_calls", [])]
    joined = ["".join(p["function"]["arguments"] for p in pieces if p["index"] == place) for place in (0, 1)]
    calls = whole["choices"][0]["message"]["tool_calls"]
    assert joined == [call["function"]["arguments"] for call in calls]
    assert [p["function"]["name"] for p in pieces if "id" in p] == ["get_weather", "read_clock"]
    assert sum(p["index"] == 0 for p in pieces) > 2
    assert events[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert events[-1]["usage"] == whole["usage"]


def test_parallel_calls_can_be_refused(client):
    answer = ask(client, "get_weather and read_clock", tools=[WEATHER, CLOCK], parallel_tool_calls=False).json()
    assert len(answer["choices"][0]["message"]["tool_calls"]) == 1


def test_a_tools_result_leads_to_a_spoken_answer(client):
    messages = [
        {"role": "user", "content": "get_weather"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "12 degrees"},
    ]
    answer = ask(client, messages=messages, tools=[WEATHER]).json()["choices"][0]
    assert "The tool answered: 12 degrees" in answer["message"]["content"]
    assert answer["finish_reason"] == "stop"


def test_a_json_schema_is_obeyed_streamed_too(client):
    schema = WEATHER["function"]["parameters"]
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "strict": True, "schema": schema}}
    text = ask(client, response_format=wanted).json()["choices"][0]["message"]["content"]
    jsonschema.validate(json.loads(text), schema)
    assert text_of(stream(client, response_format=wanted)) == text


def test_a_json_object_is_one(client):
    text = ask(client, "Say “x” in JSON", response_format={"type": "json_object"}).json()["choices"][0]["message"][
        "content"
    ]
    assert json.loads(text)["demo"] is True


def test_images_are_acknowledged_and_counted(client):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    text = {"type": "text", "text": "Look"}
    one, two = (ask(client, [text, *[image] * count]).json() for count in (1, 2))
    assert "I received 1 image." in one["choices"][0]["message"]["content"]
    assert "I received 2 images." in two["choices"][0]["message"]["content"]
    assert two["usage"]["prompt_tokens"] - one["usage"]["prompt_tokens"] == 85


def test_the_mini_model_says_less(client):
    texts = [ask(client, model=name).json()["choices"][0]["message"]["content"] for name in ("demo-chat", "demo-mini")]
    assert len(texts[1]) < len(texts[0])
    assert "demo-mini" in texts[1]


def test_the_models_are_listed(client):
    listed = client.get("/v1/models").json()["data"]
    assert [each["id"] for each in listed] == ["demo-chat", "demo-mini"]
    assert client.get("/v1/models/demo-mini").json() == listed[1]
    assert client.get("/v1/models/gpt-9").status_code == 404


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "demo-key"}])
def test_only_the_key_opens_it(provider, header):
    answer = httpx2.get(f"{provider}/v1/models", headers=header)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"model": "gpt-9"}, 404, "model"),
        ({"model": None}, 400, "model"),
        ({"messages": []}, 400, "messages"),
        ({"messages": ["hello"]}, 400, "messages[0]"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"n": "two"}, 400, "n"),
        ({"tools": [{}]}, 400, "tools"),
        ({"tool_choice": "required"}, 400, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "x"}}}, 400, "tool_choice"),
        ({"response_format": {"type": "xml"}}, 400, "response_format"),
        ({"response_format": {"type": "json_schema"}}, 400, "response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/no"}}}},
            400,
            "response_format",
        ),
    ],
    ids=str,
)
def test_bad_requests_are_refused_in_openais_words(client, fields, status, param):
    answer = ask(client, **fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (status, param, "invalid_request_error")
    assert error["message"]


def test_what_is_not_json_is_refused(client):
    answer = client.post("/v1/chat/completions", content=b"{not json")
    assert answer.status_code == 400
    assert "could not parse" in answer.json()["error"]["message"]


def test_an_unknown_address_is_refused(client):
    assert client.post("/v1/embeddings", json={}).status_code == 404
    assert client.get("/v1/chat/completions").status_code == 404


def test_words_come_one_at_a_time_and_stop_when_the_caller_leaves():
    """The application driven by hand: after the caller has gone, nothing more is sent."""
    sent = []

    async def converse():
        gone = asyncio.Event()
        body = json.dumps(
            {"model": "demo-chat", "stream": True, "messages": [{"role": "user", "content": "900 words"}]}
        )
        requests = [{"type": "http.request", "body": body.encode()}]

        async def receive():
            if requests:
                return requests.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) == 10:
                gone.set()

        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions"}
        provider = DemoProvider(key="k", pace=0.01)
        await provider({**scope, "headers": [(b"authorization", b"Bearer k")]}, receive, send)

    asyncio.run(converse())
    assert len(sent) == 10
    assert not any(b"[DONE]" in message.get("body", b"") for message in sent)
    assert all(message.get("body", b"").count(b"data: ") <= 1 for message in sent)
