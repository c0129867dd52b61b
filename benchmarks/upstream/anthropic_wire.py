"""The bytes of an answer on the Anthropic wire, from a request: text and usage. Pure, as on the other wire.

Shapes: platform.claude.com/docs/en/api/messages and .../build-with-claude/streaming. What is cached is not among
`input_tokens` here, so that the sum of both is what the plan calls input.
"""

from typing import Any

import msgspec

from benchmarks.upstream.plans import Plan
from benchmarks.upstream.request import Request

encode = msgspec.json.encode
BROKEN_DELTA = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"ha\n\n'
MALFORMED_EVENT = b"event: content_block_delta\ndata: " + BROKEN_DELTA
ENGINE_FAILED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
ERROR_EVENT = b"event: error\ndata: " + ENGINE_FAILED + b"\n\n"
PREFILL_REJECTED = (
    "This model does not support assistant message prefill. The conversation must end with a user message."
)
"""So quoted in github.com/smallmain/vscode-unify-chat-provider/issues/249."""
TRAILING_WHITESPACE = "messages: final assistant content cannot end with trailing whitespace"
"""So quoted in github.com/tailcallhq/forgecode/issues/1872."""
KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def event(kind: str, content: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), encode({"type": kind, **content}))


def input_usage(request: Request) -> dict[str, Any]:
    return {
        "input_tokens": request.input_tokens - request.plan.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": request.plan.cached,
    }


def message(request: Request) -> dict[str, Any]:
    return {"id": f"msg_{request.number}", "type": "message", "role": "assistant", "model": request.model}


def stop_reason(plan: Plan) -> str:
    return "refusal" if plan.fault == "filtered" else "end_turn"


def whole(request: Request) -> bytes:
    answer = {
        **message(request),
        "content": [{"type": "text", "text": "".join(request.texts)}],
        "stop_reason": stop_reason(request.plan),
        "stop_sequence": None,
    }
    if request.plan.usage:
        answer["usage"] = {**input_usage(request), "output_tokens": request.output_tokens}
    return encode(answer)


def opening_events(request: Request) -> list[bytes]:
    begun = {**message(request), "content": [], "stop_reason": None, "stop_sequence": None}
    if request.plan.usage:
        begun["usage"] = {**input_usage(request), "output_tokens": 1}
    block = {"index": 0, "content_block": {"type": "text", "text": ""}}
    return [event("message_start", {"message": begun}), event("content_block_start", block)]


def text_events(request: Request) -> list[bytes]:
    return [
        event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}})
        for text in request.texts
    ]


def closing_events(request: Request) -> list[bytes]:
    """The end of the block, stop_reason with usage, message_stop, which is this wire's [DONE]."""
    plan = request.plan
    if plan.fault == "no_finish":
        return []
    ending: dict[str, Any] = {"delta": {"stop_reason": stop_reason(plan), "stop_sequence": None}}
    if plan.usage:
        ending["usage"] = {"output_tokens": request.output_tokens}
    events = [event("content_block_stop", {"index": 0}), event("message_delta", ending)]
    return events if plan.fault == "no_done" else [*events, event("message_stop", {})]


def reports_usage(request: Request) -> bool:
    return request.plan.usage


def error(message: str, kind: str) -> bytes:
    return encode({"type": "error", "error": {"type": kind, "message": message}})


def bad_request(message: str) -> bytes:
    return error(message, "invalid_request_error")


def refusal(plan: Plan) -> tuple[int, bytes]:
    messages = {
        "context_length": "prompt is too long: 9000 tokens > 8192 maximum",
        "content_filter": "Output blocked by content filtering policy",
        "prefill_rejected": PREFILL_REJECTED,
    }
    if plan.fault in messages:
        return 400, bad_request(messages[plan.fault])
    if plan.fault != "status":
        return 400, bad_request(TRAILING_WHITESPACE)
    kind = KINDS.get(plan.status, "api_error" if plan.status >= 500 else "invalid_request_error")
    return plan.status, error(f"The mock was told to answer {plan.status}.", kind)


def refuses(request: Request) -> bool:
    """A prefill that ends in a space is taken by no model of this wire."""
    prefilled = request.prefilled or ""
    return prefilled != prefilled.rstrip()
