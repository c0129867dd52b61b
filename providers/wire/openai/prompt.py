"""A chat completion request as a Prompt (platform.openai.com/docs/api-reference/chat/create)."""

from collections.abc import Mapping
from typing import Literal, cast

import msgspec

from providers.wire.fields import FLAG, WHOLE, missing, read, read_within, too_deep
from providers.wire.neutral import Format, Prompt, Reasoning
from providers.wire.openai.incoming import GivenFormat, GivenReasoning, GivenThinking
from providers.wire.openai.prompt_messages import Conversation
from providers.wire.openai.prompt_tools import tool_choice_of, tools_of
from providers.wire.shapes import ChatRequest

FLOAT = msgspec.json.Decoder(float | None)
TEXT = msgspec.json.Decoder(str | None)
STOP = msgspec.json.Decoder(str | list[str] | None)
FORMAT = msgspec.json.Decoder(GivenFormat | None)
REASONING = msgspec.json.Decoder(GivenReasoning | None)
THINKING = msgspec.json.Decoder(GivenThinking | None)
KINDS: Mapping[str, Literal["text", "json", "schema"]] = {
    "text": "text",
    "json_object": "json",
    "json_schema": "schema",
}
UNDERSTOOD = frozenset(
    (
        "model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls", "functions",
        "function_call", "response_format", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k",
        "stop", "seed", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "n", "user",
        "reasoning_effort", "reasoning", "thinking", "service_tier",
    )
)  # fmt: skip
# What says the same as saying nothing.
USUAL: Mapping[str, object] = {"store": False, "modalities": ["text"]}
LONGEST_USUAL = 40


def prompt_of(request: ChatRequest) -> Prompt:
    """Raises InvalidRequest naming the field."""
    try:
        return read_prompt(request)
    except RecursionError:
        raise too_deep() from None


def read_prompt(request: ChatRequest) -> Prompt:
    fields = request.fields
    conversation = Conversation(fields["messages"])
    tools, strange_tools = tools_of(fields)
    choice, strange_choice = tool_choice_of(fields)
    format_, strange_format = format_of(fields)
    return Prompt(
        messages=tuple(conversation.messages),
        tools=tools,
        tool_choice=choice,
        format=format_,
        max_output_tokens=request.max_output_tokens,
        temperature=read(fields, "temperature", FLOAT, "a number"),
        top_p=read(fields, "top_p", FLOAT, "a number"),
        top_k=read(fields, "top_k", WHOLE, "a whole number"),
        stop=stop_of(fields),
        seed=read(fields, "seed", WHOLE, "a whole number"),
        presence_penalty=read(fields, "presence_penalty", FLOAT, "a number"),
        frequency_penalty=read(fields, "frequency_penalty", FLOAT, "a number"),
        logprobs=bool(read(fields, "logprobs", FLAG, "true or false")),
        top_logprobs=read(fields, "top_logprobs", WHOLE, "a whole number"),
        choices=request.choices,
        user=text_of(fields, "user"),
        reasoning=reasoning_of(fields),
        service_tier=tier_of(fields),
        others=unexpressed(fields) | conversation.others | strange_tools | strange_choice | strange_format,
        names=names_of(fields),
    )


def text_of(fields: Mapping[str, msgspec.Raw], name: str) -> str:
    return cast("str | None", read(fields, name, TEXT, "a string")) or ""


def tier_of(fields: Mapping[str, msgspec.Raw]) -> str:
    tier = text_of(fields, "service_tier")
    return "" if tier == "auto" else tier


def stop_of(fields: Mapping[str, msgspec.Raw]) -> tuple[str, ...]:
    stop: str | list[str] | None = read(fields, "stop", STOP, "a string or an array of strings")
    return tuple(each for each in ([stop] if isinstance(stop, str) else stop or ()) if each)


def format_of(fields: Mapping[str, msgspec.Raw]) -> tuple[Format | None, dict[str, msgspec.Raw]]:
    given: GivenFormat | None = read_within(fields, "response_format", FORMAT)
    if given is None:
        return None, {}
    kind = KINDS.get(given.type)
    if kind is None:
        return None, {"response_format": fields["response_format"]}
    if kind != "schema":
        return Format(kind=kind), {}
    schema = given.json_schema
    if schema is None:
        raise missing("response_format.json_schema")
    return Format(
        kind=kind,
        name=schema.name,
        description=schema.description or "",
        schema=None if bytes(schema.schema) in (b"", b"null") else schema.schema,
        strict=schema.strict,
    ), {}


def reasoning_of(fields: Mapping[str, msgspec.Raw]) -> Reasoning | None:
    effort = text_of(fields, "reasoning_effort")
    given: GivenReasoning | None = read_within(fields, "reasoning", REASONING)
    thinking: GivenThinking | None = read_within(fields, "thinking", THINKING)
    if effort:
        return reasoning_by(effort, thinking.budget_tokens if thinking else None)
    if given is not None:
        enabled = given.enabled is not False and given.effort != "none"
        effort = (given.effort or "") if enabled else ""
        return Reasoning(effort=effort, budget_tokens=given.max_tokens, enabled=enabled, summary=given.summary or "")
    if thinking is not None:
        return Reasoning(budget_tokens=thinking.budget_tokens, enabled=thinking.type != "disabled")
    return None


def reasoning_by(effort: str, budget: int | None) -> Reasoning:
    return Reasoning(enabled=False) if effort == "none" else Reasoning(effort=effort, budget_tokens=budget)


def unexpressed(fields: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Fields that have no place in a Prompt and ask for something."""
    return {name: raw for name, raw in fields.items() if name not in UNDERSTOOD and asks(name, raw)}


def asks(name: str, raw: msgspec.Raw) -> bool:
    encoded = bytes(raw)
    if len(encoded) > LONGEST_USUAL:
        return True
    try:
        meant = msgspec.json.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A number beyond all numbers, for one: whatever it means, it is not nothing.
        return True
    return meant not in (None, [], {}) and (name not in USUAL or meant != USUAL[name])


def names_of(fields: Mapping[str, msgspec.Raw]) -> dict[str, str]:
    """What the caller called the fields of a Prompt that have another name here."""
    newer = bytes(fields.get("max_completion_tokens", b"null")) != b"null"
    asked_for_thought = [name for name in ("reasoning_effort", "reasoning", "thinking") if name in fields]
    return {
        "max_output_tokens": "max_completion_tokens" if newer else "max_tokens",
        "format": "response_format",
        "choices": "n",
        "tools": "tools" if "tools" in fields else "functions",
        "tool_choice": "tool_choice" if "tool_choice" in fields else "function_call",
        "tool_choice.parallel": "parallel_tool_calls",
        "parallel": "parallel_tool_calls",
        "reasoning": asked_for_thought[0] if asked_for_thought else "reasoning_effort",
        "reasoning.budget_tokens": "thinking.budget_tokens" if "thinking" in fields else "reasoning.max_tokens",
    }
