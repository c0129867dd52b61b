"""What a caller asked of the upstream, in the words of no wire."""

from typing import Any

import msgspec

from benchmarks.upstream.plans import Plan


class Request(msgspec.Struct, frozen=True):
    """A completion as the upstream received it; `number` counts this process's requests.

    `texts` is the answer, a piece for each chunk. `prefilled` is what the last message already says of the answer where
    that message is the assistant's, and None where it isn't.
    """

    number: int
    request_id: str
    attempt: int
    credential: str
    model: str
    stream: bool
    include_usage: bool
    plan: Plan
    texts: tuple[str, ...]
    prefilled: str | None
    input_tokens: int
    output_tokens: int


def read_request(
    body: dict[str, Any], *, number: int, request_id: str, attempt: int, credential: str, plan: Plan
) -> Request:
    options = body.get("stream_options") or {}
    messages = body.get("messages") or []
    prefilled = prefill(messages)
    texts = continued(answer_texts(plan), prefilled or "")
    return Request(
        number=number,
        request_id=request_id,
        attempt=attempt,
        credential=credential,
        model=str(body.get("model", "")),
        stream=body.get("stream") is True,
        include_usage=options.get("include_usage") is True,
        plan=plan,
        texts=texts,
        prefilled=prefilled,
        input_tokens=max(1, len(msgspec.json.encode(messages)) // 4) if plan.input is None else plan.input,
        output_tokens=(len(texts) if prefilled else plan.chunks) if plan.output is None else plan.output,
    )


def answer_texts(plan: Plan) -> tuple[str, ...]:
    """The whole answer, the same for every request of a plan."""
    if plan.fault == "huge":
        return ("x" * plan.size,)
    return tuple(f"word{index} " for index in range(plan.chunks))


def prefill(messages: Any) -> str | None:
    """The text of the last message, when it is the assistant's: plain, or of blocks."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict) or last.get("role") != "assistant" or last.get("tool_calls"):
        return None
    content = last.get("content")
    if isinstance(content, list):
        return "".join(str(block.get("text", "")) for block in content if isinstance(block, dict))
    return content if isinstance(content, str) else ""


def continued(texts: tuple[str, ...], prefilled: str) -> tuple[str, ...]:
    """What is left of the answer after `prefilled`; all of it where the answer doesn't begin like that."""
    if not prefilled or not "".join(texts).startswith(prefilled):
        return texts
    left = len(prefilled)
    rest: list[str] = []
    for text in texts:
        if len(text) > left:
            rest.append(text[left:])
        left = max(left - len(text), 0)
    return tuple(rest)
