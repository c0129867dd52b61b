"""An answer as a Response (platform.openai.com/docs/api-reference/responses/object)."""

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from common.ids import new_id
from providers.wire.neutral import Finish
from providers.wire.openai.words import created_at
from providers.wire.places import NULL
from providers.wire.responses.output import Fields, Status
from providers.wire.shapes import ChatRequest, Usage

RAW_TOOLS: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
FUNCTION: Final = b'"function"'
# What the API says of what the caller left out. Where a default is the model's own we know none.
DEFAULTS: Final[Mapping[str, object]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": None,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
WHOLE_FUNCTION: Final[Mapping[str, object]] = {"description": None, "parameters": None, "strict": None}
PLAIN_TEXT: Final[Mapping[str, object]] = {"format": {"type": "text"}}
NO_REASONING: Final[Mapping[str, object]] = {"effort": None, "summary": None}
CUT_BY: Final[Mapping[Finish, str]] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}


class ResponseObject:
    """One response: what is said of it from the beginning to the end. Its id is ours, so that no provider can give two
    responses the same."""

    def __init__(self, request: ChatRequest) -> None:
        self.stem = new_id().hex
        self.id = f"resp_{self.stem}"
        self.created_at = 0
        self.model = request.model
        self._request = request
        self._repeated: Fields = {}

    def begin(self, model: str, created: int) -> None:
        self.model = model or self.model
        self.created_at = created_at(created)
        self._repeated = repeated(self._request)

    def begun(self) -> Fields:
        return self._fields("in_progress", [])

    def ended(self, items: list[Fields], cut_by: str, usage: Usage | None) -> Fields:
        """`cut_by` is why it is incomplete, empty if it is not."""
        fields = self._fields("incomplete" if cut_by else "completed", items)
        fields["completed_at"] = None if cut_by else max(int(time.time()), self.created_at)
        fields["incomplete_details"] = {"reason": cut_by} if cut_by else None
        fields["usage"] = usage_object(usage) if usage is not None else None
        return fields

    def _fields(self, status: Status, items: list[Fields]) -> Fields:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "model": self.model,
            "output": items,
            **self._repeated,
            "usage": None,
        }


def cut_by(finish: Finish, *, refused: bool) -> str:
    """Why an answer is incomplete, empty if it is not. `refused`: the model refused in words of its own, which is a
    whole answer."""
    return "" if finish == "refusal" and refused else CUT_BY.get(finish, "")


def usage_object(usage: Usage) -> Fields:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def repeated(request: ChatRequest) -> Fields:
    """What the caller asked for, or what holds if it did not."""
    fields = request.fields
    found: Fields = {name: given_or(fields, name, default) for name, default in DEFAULTS.items()}
    found["tools"] = [whole_tool(tool) for tool in RAW_TOOLS.decode(given_or_raw(fields, "tools", b"[]"))]
    found["text"] = {**PLAIN_TEXT, **said_in(fields, "text")}
    found["reasoning"] = {**NO_REASONING, **said_in(fields, "reasoning")}
    return found


def given_or(fields: Mapping[str, msgspec.Raw], name: str, default: object) -> object:
    raw = fields.get(name, NULL)
    return default if raw == NULL else raw


def given_or_raw(fields: Mapping[str, msgspec.Raw], name: str, default: bytes) -> bytes:
    raw = fields.get(name, NULL)
    return default if raw == NULL else bytes(raw)


def said_in(fields: Mapping[str, msgspec.Raw], name: str) -> dict[str, Any]:
    """The fields of an object that say something."""
    given = OBJECT.decode(given_or_raw(fields, name, b"{}"))
    return {each: raw for each, raw in given.items() if raw != NULL}


def whole_tool(tool: dict[str, msgspec.Raw]) -> Mapping[str, object]:
    return {**WHOLE_FUNCTION, **tool} if bytes(tool.get("type", NULL)) == FUNCTION else tool
