"""What an expression makes of an answer, as a chat completion.

It may be one already (it has `choices`), or say the same in fewer words:

    {"text": "…", "reasoning": "…", "tool_calls": [{"id": "…", "name": "…", "arguments": "{…}" or {…}}],
     "finish_reason": "stop", "usage": {"input_tokens": 1, "output_tokens": 2}, "id": "…", "model": "…", "error": …,
     "done": true}

`done` marks the end of a stream, which a finish_reason alone does not.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

USAGE_NAMES: Mapping[str, str] = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
KEPT = ("id", "model", "created", "error")


def completion_of(said: Mapping[str, Any], words: str) -> dict[str, Any]:
    """`words` is "message" for a whole answer and "delta" for an event of a stream."""
    if "choices" in said:
        return dict(said)
    made: dict[str, Any] = {name: said[name] for name in KEPT if said.get(name) is not None}
    message = message_of(said)
    reason = said.get("finish_reason")
    if message or reason is not None:
        made["choices"] = [{"index": 0, words: {"role": "assistant", **message}, "finish_reason": reason}]
    if isinstance(said.get("usage"), dict):
        made["usage"] = {USAGE_NAMES.get(name, name): count for name, count in said["usage"].items()}
    return made


def message_of(said: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {}
    if said.get("text") is not None:
        message["content"] = said["text"]
    if said.get("reasoning") is not None:
        message["reasoning_content"] = said["reasoning"]
    if isinstance(said.get("tool_calls"), list):
        message["tool_calls"] = [
            call_of(call, i) for i, call in enumerate(said["tool_calls"]) if isinstance(call, dict)
        ]
    return message


def call_of(call: Mapping[str, Any], position: int) -> Mapping[str, Any]:
    if "function" in call:
        return call
    arguments = call.get("arguments", "")
    written = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    function = {"name": call.get("name"), "arguments": written}
    return {
        "index": call.get("index", position),
        "id": call.get("id") or f"call_{position}",
        "type": "function",
        "function": function,
    }
