"""A legacy completion request (platform.openai.com/docs/api-reference/completions/create)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from common.errors import InvalidRequest
from providers.wire.fields import (
    FLAG,
    MAX_CHOICES,
    OPTIONS,
    WHOLE,
    invalid_type,
    missing,
    parse_object,
    read,
    required_model,
    too_deep,
    wants_usage,
    whole_number,
)
from providers.wire.named import with_model
from providers.wire.neutral import Message, Prompt, Text
from providers.wire.openai.prompt import FLOAT, asks, stop_of, text_of
from providers.wire.shapes import ChatRequest

PROMPT = msgspec.json.Decoder(str | list[str | int | list[int]])
MOST_PROMPTS = 2048
UNDERSTOOD = frozenset(
    (
        "model", "prompt", "stream", "stream_options", "max_tokens", "temperature", "top_p", "stop", "seed",
        "presence_penalty", "frequency_penalty", "logprobs", "n", "user", "best_of",
    )
)  # fmt: skip
NAMES = {"max_output_tokens": "max_tokens", "choices": "n", "top_logprobs": "logprobs"}
# What says the same as saying nothing.
USUAL: Mapping[str, bytes] = {"echo": b"false", "suffix": b'""'}


def parse_completions_request(body: bytes) -> ChatRequest:
    """Raises InvalidRequest with the field in `param`, or the place in the bytes."""
    try:
        return read_request(body)
    except RecursionError:
        raise too_deep() from None


def read_request(body: bytes) -> ChatRequest:
    fields = with_model(parse_object(body))
    options: dict[str, msgspec.Raw] = read(fields, "stream_options", OPTIONS, "an object") or {}
    model = required_model(fields)
    stream = bool(read(fields, "stream", FLAG, "true or false"))
    return ChatRequest(
        model=model,
        stream=stream,
        include_usage=bool(options and wants_usage(options)),
        max_output_tokens=whole_number(fields, "max_tokens"),
        choices=prompts_in(fields) * answers_each(fields, stream=stream),
        fields=fields,
        input_bytes=len(body),
        stream_options=options,
        dialect="completions",
    )


def answers_each(fields: Mapping[str, msgspec.Raw], *, stream: bool) -> int:
    """How many are generated for each prompt, and paid for; of those a stream only has as many as it tells."""
    told = whole_number(fields, "n", most=MAX_CHOICES) or 1
    generated = whole_number(fields, "best_of", most=MAX_CHOICES) or 1
    return told if stream else max(told, generated)


def prompts_in(fields: Mapping[str, msgspec.Raw]) -> int:
    prompt = prompt_in(fields)
    if isinstance(prompt, str) or not isinstance(prompt[0], str | list):
        return 1
    return len(prompt)


def prompt_in(fields: Mapping[str, msgspec.Raw]) -> str | list[str] | list[int] | list[list[int]]:
    if "prompt" not in fields:
        raise missing("prompt")
    try:
        prompt: Any = PROMPT.decode(fields["prompt"])
    except msgspec.DecodeError:
        prompt = None
    if prompt is None or (not isinstance(prompt, str) and len({type(each) for each in prompt}) > 1):
        raise invalid_type("prompt", "a string, or an array of strings or of tokens")
    if prompt == []:
        raise InvalidRequest("'prompt' must not be empty.", param="prompt", code="empty_array")
    if len(prompt) > MOST_PROMPTS and isinstance(prompt[0], str | list) and not isinstance(prompt, str):
        raise InvalidRequest(f"'prompt' must hold at most {MOST_PROMPTS} prompts.", param="prompt")
    given: str | list[str] | list[int] | list[list[int]] = prompt
    return given


def prompt_of(request: ChatRequest) -> Prompt:
    """One message of a user's. Raises InvalidRequest for what only a server of this format can read."""
    fields = request.fields
    logprobs: int | None = read(fields, "logprobs", WHOLE, "a whole number")
    return Prompt(
        messages=(Message(role="user", parts=(Text(text=only_text(fields)),)),),
        max_output_tokens=request.max_output_tokens,
        temperature=read(fields, "temperature", FLOAT, "a number"),
        top_p=read(fields, "top_p", FLOAT, "a number"),
        stop=stop_of(fields),
        seed=read(fields, "seed", WHOLE, "a whole number"),
        presence_penalty=read(fields, "presence_penalty", FLOAT, "a number"),
        frequency_penalty=read(fields, "frequency_penalty", FLOAT, "a number"),
        logprobs=logprobs is not None,
        top_logprobs=logprobs or None,
        choices=whole_number(fields, "n", most=MAX_CHOICES) or 1,
        user=text_of(fields, "user"),
        others=unexpressed(fields),
        names=NAMES,
    )


def only_text(fields: Mapping[str, msgspec.Raw]) -> str:
    prompt = prompt_in(fields)
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        prompt = prompt[0]
    if isinstance(prompt, str):
        return prompt
    kind = "several prompts" if isinstance(prompt[0], str) else "token ids"
    raise InvalidRequest(
        f"'prompt' cannot hold {kind} for this model: send one text a request, or choose another model.",
        param="prompt",
        code="unsupported_parameter",
    )


def unexpressed(fields: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    found = {
        name: raw
        for name, raw in fields.items()
        if name not in UNDERSTOOD and asks(name, raw) and bytes(raw) != USUAL.get(name)
    }
    told = whole_number(fields, "n", most=MAX_CHOICES) or 1
    if (whole_number(fields, "best_of", most=MAX_CHOICES) or 1) > told:
        found["best_of"] = fields["best_of"]
    return found
