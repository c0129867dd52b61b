"""What the tests of the Messages dialect share: a request, and a reader of what is streamed."""

import json
from typing import Any

from providers.wire.anthropic.speech import MessagesSpeech
from providers.wire.neutral import Answer, Choice, Event, Part, Prompt
from providers.wire.shapes import ChatRequest, Usage

SPEECH = MessagesSpeech()
EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
CALLED: dict[str, Any] = {"role": "assistant", "content": [CALL]}


def encoded(**changed: Any) -> bytes:
    """A request with some fields changed; None leaves one out."""
    body = {"model": "claude", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}], **changed}
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def parsed(**changed: Any) -> ChatRequest:
    return SPEECH.parse_request(encoded(**changed))


def prompted(**changed: Any) -> Prompt:
    return SPEECH.prompt_of(parsed(**changed))


def user(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request with one turn."""
    return [{"role": "user", "content": list(blocks)}]


def lost(prompt: Prompt) -> dict[str, Any]:
    return {path: json.loads(bytes(raw)) for path, raw in prompt.others.items()}


REQUEST = parsed()


def rendered(*parts: Part, finish: Any = "stop", usage: Usage | None = None, **told: Any) -> Any:
    choice = Choice(parts=parts, finish=finish, stop_sequence=told.pop("stop_sequence", ""))
    return json.loads(SPEECH.render_answer(Answer(choices=(choice,), usage=usage, **told), REQUEST))


def streamed(*happened: Event) -> bytes:
    return SPEECH.renderer(REQUEST).render(list(happened))


def events(streamed: bytes) -> list[dict[str, Any]]:
    """Each event's payload, whose type is the event's name."""
    found = []
    for event in streamed.decode().split("\n\n")[:-1]:
        name, payload = event.split("\n")
        found.append(json.loads(payload.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def reread(streamed: bytes) -> Any:
    """The message that a stream tells, and that it is told in the documented order."""
    first, *rest = events(streamed)
    assert first["type"] == "message_start"
    message = first["message"]
    arguments = ""
    open_block: int | None = None
    for event in rest[:-2]:
        if event["type"] == "content_block_start":
            assert (open_block, event["index"]) == (None, len(message["content"]))
            open_block, arguments = event["index"], ""
            message["content"].append(event["content_block"])
        elif event["type"] == "content_block_delta":
            assert event["index"] == open_block
            arguments += apply(message["content"][-1], event["delta"])
        else:
            assert (event["type"], event["index"]) == ("content_block_stop", open_block)
            open_block = None
            if message["content"][-1]["type"] == "tool_use" and arguments:
                message["content"][-1]["input"] = json.loads(arguments)
    assert open_block is None
    assert [event["type"] for event in rest[-2:]] == ["message_delta", "message_stop"]
    message.update(rest[-2]["delta"])
    message["usage"].update(rest[-2]["usage"])
    return message


def apply(block: dict[str, Any], delta: dict[str, str]) -> str:
    """Adds a delta to its block, or gives the arguments in it back."""
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            return delta["partial_json"]
    return ""
