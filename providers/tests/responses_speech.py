"""What the tests of the Responses dialect share: a request, and a reader of what is streamed."""

import json
from typing import Any

from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
    Part,
    Prompt,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from providers.wire.responses.speech import ResponsesSpeech
from providers.wire.shapes import ChatRequest, Usage

SPEECH = ResponsesSpeech()
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
FUNCTION: dict[str, Any] = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
texts = st.text(min_size=1, max_size=12)
parts = st.one_of(
    st.builds(Text, text=texts),
    st.builds(Refusal, text=texts),
    st.builds(Thinking, text=texts, signature=st.sampled_from(["", "proof"])),
    st.builds(RedactedThinking, encoded=texts),
    st.builds(ToolCall, id=texts, name=texts, arguments=st.text(max_size=12), signature=st.sampled_from(["", "seal"])),
)
OURS = ("id", "item_id", "created_at", "completed_at")
PROBE = [{"role": "user", "content": "Hi"}]


def encoded(**changed: Any) -> bytes:
    """A request with some fields changed; None leaves one out."""
    body = {"model": "gpt", "input": "Hi", **changed}
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def parsed(**changed: Any) -> ChatRequest:
    return SPEECH.parse_request(encoded(**changed))


def prompted(**changed: Any) -> Prompt:
    return SPEECH.prompt_of(parsed(**changed))


def lost(prompt: Prompt) -> dict[str, Any]:
    return {path: json.loads(bytes(raw)) for path, raw in prompt.others.items()}


def answer_of(*parts: Part, finish: Any = "stop", usage: Usage | None = None, **told: Any) -> Answer:
    choice = Choice(parts=parts, finish=finish, logprobs=told.pop("logprobs", None))
    return Answer(choices=(choice,), usage=usage, **told)


def rendered(*parts: Part, request: ChatRequest | None = None, **told: Any) -> Any:
    """As JSON, once the official SDK has taken it for a response."""
    body = SPEECH.render_answer(answer_of(*parts, **told), request or parsed())
    Response.model_validate_json(body)
    return json.loads(body)


def streamed(*happened: Event, request: ChatRequest | None = None) -> bytes:
    return SPEECH.renderer(request or parsed()).render([*happened, Ended()])


def events(streamed: bytes) -> list[dict[str, Any]]:
    """Each event's payload, numbered without a gap, once the official SDK has taken it for the event that it names."""
    found: list[dict[str, Any]] = []
    for event in streamed.decode().split("\n\n")[:-1]:
        name, payload = event.split("\n")
        fields = json.loads(payload.removeprefix("data: "))
        assert name == f"event: {fields['type']}"
        assert fields["sequence_number"] == len(found)
        assert EVENT.validate_python(fields).type == fields["type"]
        found.append(fields)
    return found


def anonymous(told: Any) -> Any:
    """Without what differs between any two answers."""
    if isinstance(told, dict):
        return {name: anonymous(value) for name, value in told.items() if name not in OURS}
    return [anonymous(each) for each in told] if isinstance(told, list) else told


def reread(streamed: bytes) -> Any:
    """The response that the events between the first and the last one tell."""
    told = events(streamed)
    assert [event["type"] for event in told[:2]] == ["response.created", "response.in_progress"]
    response = told[1]["response"]
    output: dict[int, Any] = {}
    for event in told[2:-1]:
        apply(output, event)
    assert all(item.pop("done") for item in output.values())
    response["output"] = [output[index] for index in sorted(output)]
    return response


def apply(output: dict[int, Any], event: dict[str, Any]) -> None:
    """Writes one event down, and finds that it says what was said before."""
    kind = event["type"].removeprefix("response.")
    if kind == "output_item.added":
        assert event["output_index"] == len(output)
        output[event["output_index"]] = {**event["item"], "done": False}
        return
    item = output[event["output_index"]]
    assert not item["done"]
    if kind == "output_item.done":
        told = {name: value for name, value in event["item"].items() if name not in ("status", "encrypted_content")}
        assert told == {name: item[name] for name in told}
        item.update(event["item"], done=True)
        return
    assert event["item_id"] == item["id"]
    WRITERS[kind](item, event)


def add_content(item: Any, event: Any) -> None:
    assert event["content_index"] == len(item["content"])
    item["content"].append(event["part"])


def say(item: Any, event: Any) -> None:
    part = item["content"][event["content_index"]]
    part["refusal" if "refusal" in part else "text"] += event["delta"]
    if "logprobs" in part:
        part["logprobs"] += event["logprobs"]


def same_content(item: Any, event: Any) -> None:
    assert item["content"][event["content_index"]] == event["part"]


def same_words(item: Any, event: Any) -> None:
    part = item["content"][event["content_index"]]
    assert {name: event[name] for name in ("text", "refusal", "logprobs") if name in event} == {
        name: part[name] for name in ("text", "refusal", "logprobs") if name in part
    }


def add_summary(item: Any, event: Any) -> None:
    assert event["summary_index"] == len(item["summary"])
    item["summary"].append(event["part"])


def think(item: Any, event: Any) -> None:
    item["summary"][event["summary_index"]]["text"] += event["delta"]


def same_thought(item: Any, event: Any) -> None:
    assert item["summary"][event["summary_index"]]["text"] == event["text"]


def same_summary(item: Any, event: Any) -> None:
    assert item["summary"][event["summary_index"]] == event["part"]


def argue(item: Any, event: Any) -> None:
    item["arguments"] += event["delta"]


def same_arguments(item: Any, event: Any) -> None:
    assert (item["arguments"], item["name"]) == (event["arguments"], event["name"])


WRITERS = {
    "content_part.added": add_content,
    "content_part.done": same_content,
    "output_text.delta": say,
    "output_text.done": same_words,
    "refusal.delta": say,
    "refusal.done": same_words,
    "reasoning_summary_part.added": add_summary,
    "reasoning_summary_part.done": same_summary,
    "reasoning_summary_text.delta": think,
    "reasoning_summary_text.done": same_thought,
    "function_call_arguments.delta": argue,
    "function_call_arguments.done": same_arguments,
}
