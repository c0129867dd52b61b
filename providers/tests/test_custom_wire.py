"""An API that speaks none of our wires, by expressions alone: an invented vendor called Parrot."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidRequest, UpstreamGarbled, UpstreamRefused
from providers.quirks import quirks_of
from providers.tests.wire_streams import assembled, broken, fed, told, without_ids
from providers.wire.custom.adapter import CustomWire
from providers.wire.custom.expressions import expression
from providers.wire.custom.stream import CustomStream
from providers.wire.neutral import Ended, Failed, Finished, Message, Prompt, Text, Thinking, Tool, ToolCall, Used
from providers.wire.openai.speech import ChatSpeech
from providers.wire.registry import spoken
from providers.wire.shapes import Target, Usage

USAGE = "meter && {input_tokens: meter.sent, output_tokens: meter.said}"
REASON = "stop && ((stop == 'END' && 'stop') || 'length')"
PARROT = quirks_of(
    {
        "paths": {"chat": "/engines/{model}/speak"},
        "request": """{
            system: messages[?role == 'system'].content | [0],
            turns: messages[?role != 'system'].{who: role, says: content},
            limit: max_completion_tokens, heat: temperature, live: stream
        }""",
        "response": f"{{text: reply.text, finish_reason: {REASON}, usage: {USAGE}, id: number}}",
        "stream_response": f"{{text: piece, finish_reason: {REASON}, usage: {USAGE}, done: stop != `null`}}",
    }
)
TARGET = Target(
    provider="parrot",
    provider_scope="tenant",
    wire="custom",
    base_url="https://parrot.test/v2",
    model="grey-1",
    headers=(),
    price=None,
    quirks=PARROT,
)
ANSWER = (
    b'{"number": "n-7", "reply": {"text": "Hello, h\xc3\xa9 there"}, "stop": "END", "meter": {"sent": 5, "said": 3}}'
)
EVENTS = [
    b'{"piece": "Hello,"}',
    '{"piece": " hé there"}'.encode(),
    b'{"ping": true}',
    b'{"stop": "END", "meter": {"sent": 5, "said": 3}}',
]
SSE = b": hello\n\n" + b"".join(b"event: piece\ndata: " + event + b"\n\n" for event in EVENTS)
LINES = b"".join(event + b"\n" for event in EVENTS)
HELLO = Prompt(
    messages=(
        Message(role="system", parts=(Text(text="Be short."),)),
        Message(role="user", parts=(Text(text="Hello?"),)),
    ),
    max_output_tokens=9,
)


def target(**quirks):
    return TARGET if not quirks else replaced(quirks_of({**document(), **quirks}))


def document():
    return {name: getattr(PARROT, name) for name in ("request", "response", "stream_response")}


def replaced(quirks, **more):
    return Target(**{name: getattr(TARGET, name) for name in TARGET.__struct_fields__} | {"quirks": quirks} | more)


def stream(limit=1 << 20):
    return CustomStream(expression(PARROT.stream_response), limit)


def begun(at=TARGET, prompt=HELLO, streamed=False):
    wire = CustomWire(at.quirks)
    return wire, wire.build_prompt(prompt, at, stream=streamed)


def test_the_request_is_what_the_expression_makes_of_it():
    _, built = begun()
    assert built.url == "https://parrot.test/v2/engines/grey-1/speak"
    assert json.loads(built.body) == {
        "system": "Be short.",
        "turns": [{"who": "user", "says": "Hello?"}],
        "limit": 9,
        "heat": None,
        "live": None,
    }
    _, streamed = begun(streamed=True)
    assert streamed.stream
    assert json.loads(streamed.body)["live"] is True


def test_a_whole_answer_is_read_with_its_usage():
    wire, _ = begun()
    answer = wire.read_answer(ANSWER)
    assert (answer.id, answer.usage) == ("n-7", Usage(input_tokens=5, output_tokens=3))
    [choice] = answer.choices
    assert (choice.parts, choice.finish) == ((Text(text="Hello, hé there"),), "stop")


@pytest.mark.parametrize("sent", [SSE, LINES, SSE.replace(b"\n", b"\r\n"), LINES.rstrip()])
def test_a_stream_says_what_the_whole_answer_says(sent):
    wire, _ = begun()
    events = fed(stream(), sent)
    assert without_ids(assembled(events)) == without_ids(wire.read_answer(ANSWER))
    assert events[-1] == Ended()
    assert [event.final for event in events if isinstance(event, Used)] == [True]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([SSE, LINES]), st.lists(st.integers(1, 400), max_size=12))
def test_cuts_anywhere_change_nothing(sent, cuts):
    assert told(fed(stream(), sent, cuts)) == told(fed(stream(), sent))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='data:{}[]":,\r\n \\eé1', max_size=60), st.lists(st.integers(1, 90), max_size=6))
def test_cuts_change_nothing_in_odd_bytes_either(text, cuts):
    sent = text.encode()
    assert told(fed(stream(), sent, cuts)) == told(fed(stream(), sent))


def test_bytes_that_nobody_expects_raise_nothing():
    chance = Random(20260801)
    wire, _ = begun()
    for _ in range(10_000):
        fed(stream(), broken(chance.choice((SSE, LINES)), chance))
        try:
            wire.read_answer(broken(ANSWER, chance))
        except (UpstreamGarbled, UpstreamRefused):
            continue


def test_data_lines_of_one_event_belong_together_and_done_ends():
    sent = b'data: {"piece":\ndata: "Hi"}\n\ndata: [DONE]\n\ndata: {"piece": "late"}\n\n'
    events = fed(stream(), sent)
    assert [event.text for event in events if hasattr(event, "text")] == ["Hi"]
    assert events[-1] == Ended()


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"data: {oops\n\n", "not JSON"),
        (b"data: " + b"x" * 2000 + b"\n\n", "more than 1000 bytes"),
        (b'{"piece": "' + b"x" * 2000, "more than 1000 bytes"),
        (b"data: 1\n" * 600, "more than 1000 bytes"),
    ],
)
def test_what_cannot_be_read_ends_the_stream(sent, reason):
    [failed] = fed(stream(1000), sent)
    assert isinstance(failed, Failed)
    assert reason in str(failed.error)


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "not JSON"), (b"[1]", "no choices"), (b"{}", "no choices"), (b"[" * 100_000, "not JSON")],
)
def test_what_is_no_answer_is_said_to_be_none(body, reason):
    wire, _ = begun()
    with pytest.raises(UpstreamGarbled, match=reason):
        wire.read_answer(body)


def test_an_answer_may_be_a_completion_already_or_carry_an_error():
    wire, _ = begun(target(response="@"))
    completion = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]}
    assert wire.read_answer(json.dumps(completion).encode()).choices[0].finish == "length"
    with pytest.raises(UpstreamRefused, match="no such engine"):
        wire.read_answer(b'{"error": {"message": "no such engine", "code": 400}}')


def test_tool_calls_and_thoughts_have_their_place():
    wire, _ = begun(target(response="@"))
    said = {
        "reasoning": "Hm.",
        "tool_calls": [{"id": "c1", "name": "weather", "arguments": {"city": "Berlin"}}, {"name": "time"}],
        "finish_reason": "tool_calls",
    }
    parts = wire.read_answer(json.dumps(said).encode()).choices[0].parts
    assert parts == (
        Thinking(text="Hm."),
        ToolCall(id="c1", name="weather", arguments='{"city":"Berlin"}'),
        ToolCall(id="call_1", name="time", arguments=""),
    )


def test_what_the_expression_never_looks_at_is_refused_or_dropped_and_told():
    asked = Prompt(messages=HELLO.messages, tools=(Tool(name="f"),), seed=7, temperature=0.5)
    with pytest.raises(InvalidRequest) as refused:
        begun(prompt=asked)
    assert refused.value.param in ("tools", "seed")
    _, built = begun(replaced(PARROT, drop_params=True), asked)
    assert set(built.dropped) == {"tools", "seed"}
    assert json.loads(built.body)["heat"] == 0.5


def test_a_whole_request_can_be_passed_on():
    asked = Prompt(messages=HELLO.messages, seed=7)
    _, built = begun(target(request="merge(@, {api: 'v2'})"), asked)
    assert json.loads(built.body)["seed"] == 7
    assert json.loads(built.body)["api"] == "v2"


@pytest.mark.parametrize("text", ["messages[0].content", "length(model, model)", "join(',', [model, `5`])"])
def test_an_expression_that_does_not_fit_a_request_is_a_clear_refusal(text):
    with pytest.raises(InvalidRequest, match="template of 'parrot'"):
        begun(replaced(target(request=text).quirks, drop_params=True))


def chat(**fields):
    body = {"model": "grey", "messages": [{"role": "user", "content": "Hello?"}], **fields}
    return ChatSpeech().parse_request(json.dumps(body).encode())


def test_callers_of_another_dialect_reach_it():
    request = chat()
    wire = spoken(request, TARGET)
    assert not wire.build_request(request, TARGET).stream
    answer = wire.parse_response(ANSWER)
    assert json.loads(answer.raw)["choices"][0]["message"]["content"] == "Hello, hé there"
    assert answer.usage == Usage(input_tokens=5, output_tokens=3)


def test_without_streams_an_answer_comes_whole_and_is_told_as_a_stream():
    request = chat(stream=True)
    wholesale = target(stream_response="")
    wire = spoken(request, wholesale)
    built = wire.build_request(request, wholesale)
    assert not built.stream
    told_as = wire.parse_response(ANSWER).raw
    assert told_as.startswith(b"data: ")
    assert told_as.endswith(b"data: [DONE]\n\n")
    assert "hé there".encode() in told_as or b"h\\u00e9 there" in told_as


def test_a_finish_is_said_once():
    assert len([event for event in fed(stream(), SSE) if isinstance(event, Finished)]) == 1
