import json
import random
from typing import Any

import msgspec
import pytest
from openai.types import Completion

from common.errors import InvalidRequest, UpstreamTimeout
from providers.wire.assembly import events_of
from providers.wire.completions.speech import CompletionsSpeech
from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
    Finished,
    Message,
    Prompt,
    Refusal,
    RefusalDelta,
    Text,
    TextDelta,
    Thinking,
    ToolCall,
)
from providers.wire.shapes import ChatRequest, Usage

SPEECH = CompletionsSpeech()
USAGE = Usage(input_tokens=5, output_tokens=3)


def asked(**fields) -> ChatRequest:
    return SPEECH.parse_request(json.dumps({"model": "alias", "prompt": "Say", **fields}).encode())


def prompt(**fields) -> Prompt:
    return SPEECH.prompt_of(asked(**fields))


def answer(*choices: Choice, **fields) -> Answer:
    return Answer(choices=choices, **{"id": "m1", "model": "vendor-1", "usage": USAGE, "created": 7, **fields})


def logprobs(*tokens: str) -> msgspec.Raw:
    rare = {"token": "x", "logprob": -2.0}
    entries = [
        {"token": token, "logprob": -0.5, "top_logprobs": [{"token": token, "logprob": -0.5}, rare, {}]}
        for token in tokens
    ]
    return msgspec.Raw(msgspec.json.encode({"content": entries}))


def whole(given: Answer) -> dict[str, Any]:
    body = SPEECH.render_answer(given, asked())
    Completion.model_validate_json(body, strict=True)
    loose: dict[str, Any] = json.loads(body)
    return loose


def streamed(events: list[Event], **fields) -> list[dict[str, Any]]:
    renderer = SPEECH.renderer(asked(stream=True, **fields))
    *chunks, done, rest = (renderer.render(events) + renderer.end()).split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    return [json.loads(chunk.removeprefix(b"data: ")) for chunk in chunks]


def test_what_routing_and_metering_need_is_read():
    request = asked(stream=True, max_tokens=9, n=2, stream_options={"include_usage": True})
    assert (request.model, request.dialect, request.stream, request.include_usage) == (
        "alias",
        "completions",
        True,
        True,
    )
    assert (request.max_output_tokens, request.choices) == (9, 2)


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({"prompt": "a"}, 1),
        ({"prompt": ["a"]}, 1),
        ({"prompt": ["a", "b"], "n": 3}, 6),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1], [2, 3]]}, 2),
        ({"best_of": 5, "n": 2}, 5),
        ({"best_of": 5, "n": 2, "stream": True}, 2),
    ],
)
def test_choices_are_all_that_is_generated_and_in_a_stream_all_that_is_told(fields, choices):
    assert asked(**fields).choices == choices


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"prompt": {}}, "prompt"),
        ({"prompt": ["a"] * 3000}, "prompt"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"best_of": "x"}, "best_of"),
        ({"stream": 1}, "stream"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(InvalidRequest) as refusal:
        asked(**fields)
    assert refusal.value.param == param


def test_a_missing_prompt_is_named():
    with pytest.raises(InvalidRequest) as refusal:
        SPEECH.parse_request(b'{"model":"m"}')
    assert (refusal.value.param, refusal.value.code) == ("prompt", "missing_required_parameter")


@pytest.mark.parametrize("text", ["Say", ["Say"]])
def test_one_text_is_one_message(text):
    read = prompt(prompt=text, max_tokens=9, temperature=1, stop="\n", n=2, best_of=2, echo=False, suffix="", user="u")
    assert read.messages == (Message(role="user", parts=(Text(text="Say"),)),)
    assert (read.max_output_tokens, read.temperature, read.stop, read.choices, read.user) == (9, 1.0, ("\n",), 2, "u")
    assert read.others == {}


@pytest.mark.parametrize("text", [["a", "b"], [1, 2], [[1], [2]]])
def test_what_only_a_server_of_this_format_reads_is_refused(text):
    with pytest.raises(InvalidRequest) as refusal:
        prompt(prompt=text)
    assert (refusal.value.param, refusal.value.code) == ("prompt", "unsupported_parameter")


def test_what_has_no_translation_is_kept_by_its_name():
    assert set(prompt(echo=True, suffix="end", best_of=3, logit_bias={"1": 2}).others) == {
        "echo", "suffix", "best_of", "logit_bias",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"), [({}, (False, None)), ({"logprobs": 0}, (True, None)), ({"logprobs": 3}, (True, 3))]
)
def test_log_probabilities_are_asked_for_by_number(given, told):
    read = prompt(**given)
    assert (read.logprobs, read.top_logprobs) == told


def test_a_whole_answer_is_its_text():
    parts = (Thinking(text="hm"), Text(text="Hel"), Text(text="lo"), ToolCall(id="c", name="f", arguments="{}"))
    told = whole(answer(Choice(parts=parts, finish="stop_sequence", logprobs=logprobs("Hel", "lo"))))
    assert (told["id"], told["object"], told["created"], told["model"]) == ("cmpl-m1", "text_completion", 7, "vendor-1")
    assert told["usage"]["total_tokens"] == 8
    assert told["choices"] == [
        {
            "text": "Hello",
            "index": 0,
            "finish_reason": "stop",
            "logprobs": {
                "tokens": ["Hel", "lo"],
                "token_logprobs": [-0.5, -0.5],
                "top_logprobs": [{"Hel": -0.5, "x": -2.0}, {"lo": -0.5, "x": -2.0}],
                "text_offset": [0, 3],
            },
        }
    ]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("length", "length"), ("tool_calls", "stop"), ("refusal", "content_filter"), ("pause", "stop")],
)
def test_every_end_is_told_whole_and_streamed(finish, reason):
    given = answer(Choice(parts=(Refusal(text="no"),), finish=finish))
    choice = whole(given)["choices"][0]
    assert (choice["text"], choice["finish_reason"]) == ("no", reason)
    last = streamed(list(events_of(given)))[-1]["choices"][0]
    assert (last["text"], last["finish_reason"]) == ("", reason)


def test_a_stream_says_what_the_whole_answer_says():
    given = answer(
        Choice(parts=(Text(text="Hi"),), finish="stop", logprobs=logprobs("Hi")),
        Choice(index=1, parts=(Text(text="Yo"),), finish="length"),
    )
    chunks = streamed(list(events_of(given)), stream_options={"include_usage": True})
    *told, last = chunks
    assert last["choices"] == []
    assert last["usage"] == whole(given)["usage"]
    for choice in whole(given)["choices"]:
        own = [chunk["choices"][0] for chunk in told if chunk["choices"][0]["index"] == choice["index"]]
        assert "".join(each["text"] for each in own) == choice["text"]
        assert own[-1]["finish_reason"] == choice["finish_reason"]
        assert own[0]["logprobs"] == choice["logprobs"]


def test_offsets_go_on_through_a_stream():
    events: list[Event] = [TextDelta(text="Hel", logprobs=logprobs("Hel")), RefusalDelta(text="l")]
    events += [TextDelta(text="o", logprobs=logprobs("o")), Finished(finish="stop")]
    noted = [chunk["choices"][0]["logprobs"] for chunk in streamed(events)]
    assert [each["text_offset"] for each in noted if each] == [[0], [4]]


def test_usage_is_not_told_to_who_did_not_ask_and_the_end_is_written_once():
    chunks = streamed(list(events_of(answer(Choice(parts=(), finish="stop")))))
    assert not any("usage" in chunk for chunk in chunks)
    renderer = SPEECH.renderer(asked(stream=True))
    assert renderer.render([Ended()]) == b"data: [DONE]\n\n"
    assert renderer.end() == b""


def test_an_error_is_told_as_openai_tells_it():
    error = UpstreamTimeout("Too late.")
    assert json.loads(SPEECH.error_body(error))["error"]["code"] == "upstream_timeout"
    assert SPEECH.error_event(error) == b"data: " + SPEECH.error_body(error) + b"\n\n"


def test_twenty_thousand_broken_bodies_are_read_or_refused():
    chance = random.Random(20261125)
    complete = json.dumps(
        {"model": "m", "prompt": ["a"], "n": 1, "best_of": 2, "echo": True, "logprobs": 1, "stop": ["x"], "suffix": "y"}
    ).encode()
    words = [b"null", b"0", b"[]", b"{}", b'"x"', b"1.5", b"\xff", b",", b'"']
    for _ in range(20_000):
        body = bytearray(complete)
        for _ in range(chance.randrange(1, 3)):
            place = chance.randrange(len(body))
            body[place : place + chance.randrange(12)] = chance.choice(words)
        try:
            SPEECH.prompt_of(SPEECH.parse_request(bytes(body)))
        except InvalidRequest:
            continue
