from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidRequest
from providers.tests.recordings import OLLAMA
from providers.tests.wire_prompts import ASKED, SCHEMA, WEATHER, body_of, prompt, target_of
from providers.wire.neutral import (
    Audio,
    Document,
    Format,
    Image,
    Message,
    Part,
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
from providers.wire.ollama.adapter import OllamaWire
from providers.wire.shapes import Quirks

BASE = "http://127.0.0.1:11434"
WIRE = OllamaWire()
TARGET = target_of("llama3.2", BASE)
DROPPING = target_of("llama3.2", BASE, drop=True)


def messages(*said: Message) -> Any:
    return body_of(WIRE, prompt(messages=said), TARGET)["messages"]


def field(name: str, **asked: Any) -> Any:
    target = asked.pop("target", TARGET)
    return body_of(WIRE, prompt(**asked), target).get(name)


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_says_whether_it_wants_a_stream(stream):
    request = WIRE.build_prompt(prompt(), TARGET, stream=stream)
    assert request.url == f"{BASE}/api/chat"
    assert request.headers == TARGET.headers
    assert msgspec.json.decode(request.body) == {
        "model": "llama3.2",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": stream,
    }
    assert request.stream is stream


def test_a_server_may_have_the_endpoint_elsewhere_or_nowhere():
    moved = target_of("m", BASE, quirks=Quirks(paths={"chat": "/ollama/api/chat"}, query={"v": "1"}))
    assert WIRE.build_prompt(prompt(), moved, stream=True).url == f"{BASE}/ollama/api/chat?v=1"
    with pytest.raises(InvalidRequest):
        WIRE.build_prompt(prompt(), target_of("m", BASE, quirks=Quirks(paths={"chat": ""})), stream=True)


def test_every_setting_has_its_name():
    asked = prompt(
        max_output_tokens=100,
        temperature=0.0,
        top_p=0.9,
        top_k=40,
        stop=("END",),
        seed=0,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        others={"num_ctx": msgspec.Raw(b"8192"), "keep_alive": msgspec.Raw(b'"10m"')},
    )
    body = body_of(WIRE, asked, TARGET)
    assert body["options"] == {
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": 40,
        "num_predict": 100,
        "stop": ["END"],
        "seed": 0,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "num_ctx": 8192,
    }
    assert (body["logprobs"], body["top_logprobs"], body["keep_alive"]) == (True, 3, "10m")


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (Format(), None),
        (Format(kind="json"), "json"),
        (Format(kind="schema", name="n", schema=SCHEMA, strict=True), msgspec.json.decode(SCHEMA)),
        (Format(kind="schema"), "json"),
    ],
)
def test_a_format_is_asked_for(wanted, sent):
    assert field("format", format=wanted) == sent


@pytest.mark.parametrize(
    ("reasoning", "usual", "leveled"),
    [
        (None, None, None),
        (Reasoning(enabled=False), False, False),
        (Reasoning(effort="none"), False, False),
        (Reasoning(), True, True),
        (Reasoning(effort="minimal"), True, "low"),
        (Reasoning(effort="medium"), True, "medium"),
        (Reasoning(effort="max"), True, "high"),
    ],
)
def test_thinking_has_levels_in_gpt_oss_alone(reasoning, usual, leveled):
    assert field("think", reasoning=reasoning) is usual
    assert field("think", reasoning=reasoning, target=target_of("gpt-oss:20b", BASE)) == leveled


def test_tools_are_offered():
    assert field("tools", tools=(WEATHER, Tool(name="now"))) == [
        {
            "type": "function",
            "function": {"name": "get_weather", "description": "Now", "parameters": msgspec.json.decode(SCHEMA)},
        },
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert field("tools", tools=(WEATHER,), tool_choice=ToolChoice(mode="none")) is None
    assert field("tools", tools=(WEATHER,), tool_choice=ToolChoice(parallel=True)) is not None


def test_a_conversation_with_calls_goes_back():
    called = Message(
        role="assistant",
        parts=(
            Thinking(text="Two.", signature="another vendor's"),
            Text(text="On "),
            Text(text="it."),
            ToolCall(id="1", name="get_weather", arguments='{"city":"Paris"}'),
            ToolCall(id="2", name="now", arguments=""),
        ),
    )
    results = Message(
        role="tool",
        parts=(
            ToolResult(call_id="2", parts=(Text(text="no"),), is_error=True),
            ToolResult(call_id="1", parts=(Text(text="map:"), Image(encoded="aa", media_type="image/png"))),
        ),
    )
    assert messages(Message(role="system", parts=(Text(text="Be brief."),)), ASKED, called, results) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": "On it.",
            "thinking": "Two.",
            "tool_calls": [
                {"id": "1", "function": {"name": "get_weather", "arguments": {"city": "Paris"}}},
                {"id": "2", "function": {"name": "now", "arguments": {}}},
            ],
        },
        {"role": "tool", "content": "Error: no", "tool_name": "now", "tool_call_id": "2"},
        {"role": "tool", "content": "map:", "images": ["aa"], "tool_name": "get_weather", "tool_call_id": "1"},
    ]


def test_images_stand_beside_the_words_and_texts_among_them():
    parts = (
        Text(text="Compare", cache="5m"),
        Image(encoded="aa", media_type="image/png", detail="high"),
        Text(text="with"),
        Image(encoded="bb", media_type="image/png"),
        Document(encoded=b64encode("Öl".encode()).decode(), media_type="text/plain", title="note.txt"),
    )
    assert messages(Message(role="user", parts=parts)) == [
        {"role": "user", "content": "Compare\nwith\nnote.txt:\nÖl", "images": ["aa", "bb"]}
    ]


def user(*parts: Part) -> dict[str, Any]:
    return {"messages": (Message(role="user", parts=parts),)}


LOSSES: list[tuple[dict[str, Any], str]] = [
    ({"choices": 2, "names": {"choices": "n"}}, "n"),
    ({"service_tier": "flex"}, "service_tier"),
    ({"others": {"logit_bias": msgspec.Raw(b'{"1":5}')}}, "logit_bias"),
    ({"tools": (WEATHER,), "tool_choice": ToolChoice(mode="required")}, "tool_choice"),
    ({"tools": (WEATHER,), "tool_choice": ToolChoice(mode="tool", name="get_weather")}, "tool_choice"),
    ({"tools": (WEATHER,), "tool_choice": ToolChoice(parallel=False)}, "tool_choice.parallel"),
    ({"tools": (Tool(name="a", strict=True),)}, "tools[0].strict"),
    ({"reasoning": Reasoning(budget_tokens=9), "names": {"reasoning": "thinking"}}, "thinking.budget_tokens"),
    ({"reasoning": Reasoning(effort="enormous")}, "reasoning"),
    ({"messages": (Message(role="user", name="Bob", parts=ASKED.parts),)}, "messages[0].name"),
    (user(Audio(encoded="aa", format="wav")), "messages[0].audio"),
    (user(Image(url="https://x.org/a.png")), "messages[0].image.url"),
    (user(Document(encoded="aaaa")), "messages[0].document"),
    (user(Document(encoded="/w==", media_type="text/plain")), "messages[0].document"),
    (user(RedactedThinking(encoded="x")), "messages[0].redacted_thinking"),
]


@pytest.mark.parametrize(("asked", "name"), LOSSES)
def test_what_ollama_cannot_be_told_is_refused_or_dropped(asked, name):
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(prompt(**asked), TARGET, stream=False)
    assert (raised.value.param, raised.value.code) == (name, "unsupported_parameter")
    assert WIRE.build_prompt(prompt(**asked), DROPPING, stream=False).dropped == (name,)


def test_what_a_server_does_not_know_is_lost():
    quirks = Quirks(unsupported=("num_predict",))
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(prompt(max_output_tokens=9), target_of("m", BASE, quirks=quirks), stream=False)
    assert raised.value.param == "max_output_tokens"


@pytest.mark.parametrize(
    ("part", "role", "param"),
    [
        (ToolResult(call_id="9", parts=()), "tool", "messages[0].tool_call_id"),
        (ToolCall(id="1", name="a", arguments="no"), "assistant", "messages[0].tool_calls[0].arguments"),
    ],
)
def test_what_no_vendor_could_read_is_told_by_its_place(part, role, param):
    with pytest.raises(InvalidRequest) as raised:
        WIRE.build_prompt(prompt(messages=(Message(role=role, parts=(part,)),)), DROPPING, stream=False)
    assert raised.value.param == param


def test_only_a_server_with_a_credential_is_shown_one():
    [(name, secret)] = WIRE.credential_headers("s3cret")
    assert (name, secret.reveal()) == ("authorization", "Bearer s3cret")
    assert WIRE.credential_headers("") == ()


@pytest.mark.parametrize(
    ("status", "body", "shown", "code", "message"),
    [
        (404, b'{"error":"model \'x\' not found"}', 404, "upstream_refused", "model 'x' not found"),
        (400, b'{"error":"\\"x\\" does not support tools"}', 400, "upstream_refused", '"x" does not support tools'),
        (400, b'{"error":"exceeds context length"}', 400, "context_length_exceeded", "exceeds context length"),
        (401, b'{"error":"unauthorized"}', 502, "upstream_credential", None),
        (500, b'{"error":"llama runner process has terminated"}', 502, "upstream_refused", None),
        (503, b'{"error":"server busy, please try again"}', 503, "upstream_unavailable", None),
        (400, b'{"error":{}}', 400, "upstream_refused", "The provider refused the request with status 400."),
        (400, b"<html>", 400, "upstream_refused", "The provider refused the request with status 400."),
    ],
)
def test_errors_of_the_request_are_passed_on_and_others_told_in_our_words(status, body, shown, code, message):
    error = WIRE.parse_error(status, {}, body)
    assert (error.status, error.code) == (shown, code)
    assert error.message == message if message is not None else error.message.startswith("The ")


@pytest.mark.parametrize("name", ["text", "length", "logprobs", "thinking_calls"])
def test_an_answer_goes_back_as_it_came(name):
    recorded = OLLAMA.whole(name)
    told = msgspec.json.decode(recorded)["message"]
    for call in told.get("tool_calls", []):
        del call["function"]["index"]
    assert messages(Message(role="assistant", parts=WIRE.read_answer(recorded).choices[0].parts)) == [told]


words = st.text(max_size=20)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, text=words),
    st.builds(Image, encoded=words, media_type=st.just("image/png")),
    st.builds(Thinking, text=words, signature=words),
    st.builds(ToolCall, id=words, name=words, arguments=st.sampled_from(["", "{}", '{"a":[1,2]}'])),
    st.builds(Refusal, text=words),
)
conversations = st.lists(
    st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), parts=st.lists(parts).map(tuple)),
    max_size=5,
).map(tuple)


@settings(max_examples=200, deadline=None)
@given(conversations)
def test_every_word_of_a_conversation_is_sent(said):
    sent = body_of(WIRE, prompt(messages=said), DROPPING)["messages"]
    assert [message["role"] for message in sent] == [message.role for message in said]
    for spoken, message in zip(sent, said, strict=True):
        separator = "" if message.role == "assistant" else "\n"
        texts = [part.text for part in message.parts if isinstance(part, Text | Refusal) and part.text]
        assert spoken["content"] == separator.join(texts)
        assert spoken.get("thinking", "") == "".join(p.text for p in message.parts if isinstance(p, Thinking))
        calls = [part.name for part in message.parts if isinstance(part, ToolCall)]
        assert [call["function"]["name"] for call in spoken.get("tool_calls", [])] == calls
        images = [part.encoded for part in message.parts if isinstance(part, Image)]
        assert spoken.get("images", []) == [encoded for encoded in images if encoded]
