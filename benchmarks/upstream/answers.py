"""The bytes of an answer, from a request and a plan. Pure: the same call gives the same bytes.

Shapes: platform.openai.com/docs/api-reference/chat (objects `chat.completion` and `chat.completion.chunk`).
"""

from typing import Any

import msgspec

from benchmarks.upstream.plans import Plan

CREATED = 1_767_225_600
encode = msgspec.json.encode
DONE = b"data: [DONE]\n\n"
MALFORMED_EVENT = b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"content":"ha\n\n'
ERROR_EVENT = b'data: {"error":{"message":"The engine failed","type":"server_error","code":"engine_failed"}}\n\n'


class Request(msgspec.Struct, frozen=True):
    """A chat completion as the upstream received it; `number` counts this process's requests."""

    number: int
    request_id: str
    attempt: int
    model: str
    stream: bool
    include_usage: bool
    plan: Plan
    input_tokens: int
    output_tokens: int


def read_request(body: dict[str, Any], *, number: int, request_id: str, attempt: int, plan: Plan) -> Request:
    options = body.get("stream_options") or {}
    return Request(
        number=number,
        request_id=request_id,
        attempt=attempt,
        model=str(body.get("model", "")),
        stream=body.get("stream") is True,
        include_usage=options.get("include_usage") is True,
        plan=plan,
        input_tokens=max(1, len(encode(body.get("messages", []))) // 4) if plan.input is None else plan.input,
        output_tokens=plan.chunks if plan.output is None else plan.output,
    )


def texts(plan: Plan) -> list[str]:
    """The answer's text, a piece for each chunk."""
    if plan.fault == "huge":
        return ["x" * plan.size]
    return [f"word{index} " for index in range(plan.chunks)]


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
    """The body of an answer that isn't streamed."""
    message = {"role": "assistant", "content": "".join(texts(request.plan)), "refusal": None}
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


def text_events(request: Request) -> list[bytes]:
    """The events that carry text, one for each chunk."""
    head, tail = around_delta(request)
    deltas = [encode({"content": text}) for text in texts(request.plan)]
    if deltas:
        deltas[0] = encode({"role": "assistant", "content": texts(request.plan)[0]})
    return [head + delta + tail for delta in deltas]


def around_delta(request: Request) -> tuple[bytes, bytes]:
    """What stands before and after the delta of an event; the same for all events of a stream."""
    common = {"id": f"chatcmpl-{request.number}", "object": "chat.completion.chunk", "created": CREATED}
    start = "data: " + encode({**common, "model": request.model}).decode().removesuffix("}")
    usage_null = ',"usage":null' if request.include_usage else ""
    return f'{start},"choices":[{{"index":0,"delta":'.encode(), f',"finish_reason":null}}]{usage_null}}}\n\n'.encode()


def closing_events(request: Request) -> list[bytes]:
    """What follows the text: finish_reason, usage when asked for, [DONE]."""
    plan = request.plan
    if plan.fault == "no_finish":
        return []
    common = {"id": f"chatcmpl-{request.number}", "object": "chat.completion.chunk", "created": CREATED}
    common["model"] = request.model
    choice = {"index": 0, "delta": {}, "finish_reason": finish_reason(plan)}
    events = [b"data: " + encode({**common, "choices": [choice]}) + b"\n\n"]
    if request.include_usage and plan.usage:
        events.append(b"data: " + encode({**common, "choices": [], "usage": usage(request)}) + b"\n\n")
    return events if plan.fault == "no_done" else [*events, DONE]


def error(message: str, *, kind: str, code: str | None, param: str | None = None) -> bytes:
    return encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def refusal(plan: Plan) -> tuple[int, bytes]:
    """Status and body of a plan that refuses."""
    if plan.fault == "context_length":
        message = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
        return 400, error(message, kind="invalid_request_error", code="context_length_exceeded", param="messages")
    if plan.fault == "content_filter":
        message = "The response was filtered due to the prompt triggering the content management policy."
        return 400, error(message, kind="invalid_request_error", code="content_filter", param="prompt")
    kind = {429: "rate_limit_error", 401: "authentication_error"}.get(
        plan.status, "server_error" if plan.status >= 500 else "invalid_request_error"
    )
    return plan.status, error(f"The mock was told to answer {plan.status}.", kind=kind, code=f"mock_{plan.status}")


def models() -> bytes:
    names = ["mock", "mock-429-retry-1", "mock-503", "mock-cut-after-3", "mock-stall-after-3", "mock-reset"]
    rows = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in names]
    return encode({"object": "list", "data": rows})
