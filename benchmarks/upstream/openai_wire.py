"""The bytes of an answer on the OpenAI wire, from a request. Pure: the same call gives the same bytes.

Shapes: platform.openai.com/docs/api-reference/chat (objects `chat.completion` and `chat.completion.chunk`).
"""

from typing import Any

import msgspec

from benchmarks.upstream.plans import Plan
from benchmarks.upstream.request import Request

CREATED = 1_767_225_600
encode = msgspec.json.encode
DONE = b"data: [DONE]\n\n"
MALFORMED_EVENT = b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"content":"ha\n\n'
ENGINE_FAILED = b'{"error":{"message":"The engine failed","type":"server_error","param":null,"code":"engine_failed"}}'
ERROR_EVENT = b"data: " + ENGINE_FAILED + b"\n\n"
PREFILL_REJECTED = "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"
"""Mistral's words; so quoted in github.com/0xPlaygrounds/rig/issues/708."""


def usage(request: Request) -> dict[str, Any]:
    return {
        "prompt_tokens": request.input_tokens,
        "completion_tokens": request.output_tokens,
        "total_tokens": request.input_tokens + request.output_tokens,
        "prompt_tokens_details": {"cached_tokens": request.plan.cached},
        "completion_tokens_details": {"reasoning_tokens": request.plan.reasoning},
    }


def finish_reason(plan: Plan) -> str:
    return "content_filter" if plan.fault == "filtered" else "stop"


def whole(request: Request) -> bytes:
    message = {"role": "assistant", "content": "".join(request.texts), "refusal": None}
    answer: dict[str, Any] = {
        "id": f"chatcmpl-{request.number}",
        "object": "chat.completion",
        "created": CREATED,
        "model": request.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(request.plan)}],
        "system_fingerprint": "fp_mock",
    }
    if request.plan.usage:
        answer["usage"] = usage(request)
    return encode(answer)


def opening_events(request: Request) -> list[bytes]:
    return []


def text_events(request: Request) -> list[bytes]:
    head, tail = around_delta(request)
    deltas = [encode({"content": text}) for text in request.texts]
    if deltas:
        deltas[0] = encode({"role": "assistant", "content": request.texts[0]})
    return [head + delta + tail for delta in deltas]


def around_delta(request: Request) -> tuple[bytes, bytes]:
    """What stands before and after the delta of an event; the same for all events of a stream."""
    common = {"id": f"chatcmpl-{request.number}", "object": "chat.completion.chunk", "created": CREATED}
    start = "data: " + encode({**common, "model": request.model}).decode().removesuffix("}")
    usage_null = ',"usage":null' if request.include_usage else ""
    return f'{start},"choices":[{{"index":0,"delta":'.encode(), f',"finish_reason":null}}]{usage_null}}}\n\n'.encode()


def closing_events(request: Request) -> list[bytes]:
    """finish_reason, usage when asked for, [DONE]."""
    plan = request.plan
    if plan.fault == "no_finish":
        return []
    common = {"id": f"chatcmpl-{request.number}", "object": "chat.completion.chunk", "created": CREATED}
    common["model"] = request.model
    choice = {"index": 0, "delta": {}, "finish_reason": finish_reason(plan)}
    events = [b"data: " + encode({**common, "choices": [choice]}) + b"\n\n"]
    if reports_usage(request):
        events.append(b"data: " + encode({**common, "choices": [], "usage": usage(request)}) + b"\n\n")
    return events if plan.fault == "no_done" else [*events, DONE]


def reports_usage(request: Request) -> bool:
    return request.plan.usage and request.include_usage


def error(message: str, *, kind: str, code: str | None, param: str | None = None) -> bytes:
    return encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def bad_request(message: str) -> bytes:
    return error(message, kind="invalid_request_error", code="bad_request")


def refusal(plan: Plan) -> tuple[int, bytes]:
    if plan.fault == "context_length":
        message = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
        return 400, error(message, kind="invalid_request_error", code="context_length_exceeded", param="messages")
    if plan.fault == "content_filter":
        message = "The response was filtered due to the prompt triggering the content management policy."
        return 400, error(message, kind="invalid_request_error", code="content_filter", param="prompt")
    if plan.fault == "prefill_rejected":
        return 400, error(PREFILL_REJECTED, kind="invalid_request_message_order", code="3230")
    kind = {429: "rate_limit_error", 401: "authentication_error"}.get(
        plan.status, "server_error" if plan.status >= 500 else "invalid_request_error"
    )
    return plan.status, error(f"The mock was told to answer {plan.status}.", kind=kind, code=f"mock_{plan.status}")


def refuses(request: Request) -> bool:
    """Whether this wire takes no such request, whatever the plan says."""
    return False


def models() -> bytes:
    names = ["mock", "mock-429-retry-1", "mock-503", "mock-cut-after-3", "mock-stall-after-3", "mock-reset"]
    rows = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in names]
    return encode({"object": "list", "data": rows})
