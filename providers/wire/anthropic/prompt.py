"""A Messages request as a prompt (platform.claude.com/docs/en/api/messages)."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final, Literal

import msgspec

from providers.wire.anthropic.content import Parts, content_parts, marker
from providers.wire.calls import sign_calls
from providers.wire.fields import too_deep
from providers.wire.neutral import (
    Document,
    Format,
    Image,
    Message,
    Prompt,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from providers.wire.places import FLAG, ITEMS, NUMBER, TEXT, TEXTS, WHOLE, Place, refused, wrong_value
from providers.wire.shapes import ChatRequest

ROLES: Final[Mapping[str, Role]] = {"user": "user", "assistant": "assistant", "system": "system"}
CHOICES: Final[Mapping[str, Literal["auto", "none", "required", "tool"]]] = {
    "auto": "auto",
    "any": "required",
    "tool": "tool",
    "none": "none",
}
# Anthropic's tiers by OpenAI's names for what they mean.
TIERS: Final = {"standard_only": "default"}
SUMMARIES: Final = {"summarized": "auto", "omitted": "none"}
NAMES: Final = {
    "max_output_tokens": "max_tokens",
    "stop": "stop_sequences",
    "user": "metadata.user_id",
    "format": "output_config.format",
    "reasoning": "thinking",
    "reasoning.effort": "output_config.effort",
    "reasoning.budget_tokens": "thinking.budget_tokens",
    "reasoning.summary": "thinking.display",
    "tool_choice.parallel": "tool_choice.disable_parallel_tool_use",
}


def prompt_of(request: ChatRequest) -> Prompt:
    """Raises InvalidRequest naming the field by its path."""
    try:
        return read_prompt(request.fields)
    except RecursionError:
        raise too_deep() from None


def read_prompt(fields: Mapping[str, msgspec.Raw]) -> Prompt:
    losses: dict[str, msgspec.Raw] = {}
    names = dict(NAMES)
    body = Place(fields, "", losses)
    body.forget("model", "stream")
    body.ignore("speed", "standard")
    reasoning, wanted = thinking_of(body, names)
    tier = body.text("service_tier")
    stop = body.take("stop_sequences", TEXTS)
    prompt = Prompt(
        messages=conversation(body, names),
        tools=tuple(tools_of(body, names)),
        tool_choice=tool_choice_of(body),
        format=wanted,
        max_output_tokens=output_limit(body),
        temperature=body.take("temperature", NUMBER),
        top_p=body.take("top_p", NUMBER),
        top_k=body.take("top_k", WHOLE),
        stop=tuple(stop or ()),
        user=user_of(body),
        reasoning=reasoning,
        service_tier=TIERS.get(tier, tier),
        others=losses,
        names=names,
    )
    body.close()
    return prompt


def conversation(body: Place, names: dict[str, str]) -> tuple[Message, ...]:
    """`names` is told where each message came from: the system prompt and results of tools become messages."""
    found: list[Message] = []
    if body.has("system"):
        add(found, names, "system", [Message(role="system", parts=content_parts(body, "system", "system"))])
    turns = body.need("messages", ITEMS)
    for index, raw in enumerate(turns):
        turn = body.item("messages", index, raw)
        add(found, names, turn.path, messages_of(turn, last=index == len(turns) - 1))
    if lifetime := marker(body):
        mark_last(found, lifetime)
    if not any(message.role != "system" for message in found):
        raise refused("messages", "at least one message is required")
    return tuple(found)


def add(found: list[Message], names: dict[str, str], path: str, messages: list[Message]) -> None:
    for message in messages:
        if message.parts:
            names[f"messages[{len(found)}]"] = path
            found.append(message)


def messages_of(turn: Place, *, last: bool) -> list[Message]:
    """A turn as messages: results of tools are in messages of their own."""
    role = ROLES.get(turn.need("role", TEXT))
    if role is None:
        raise wrong_value(turn.at("role"), *ROLES)
    if turn.is_empty("content") and not (last and role == "assistant"):
        raise refused(turn.path, "messages must have non-empty content, except for an optional final assistant message")
    parts = sign_calls(content_parts(turn, "content", role))
    turn.close()
    return [
        Message(role="tool" if results else role, parts=tuple(group))
        for results, group in groupby(parts, lambda part: isinstance(part, ToolResult))
    ]


def mark_last(messages: list[Message], lifetime: str) -> None:
    """A cache marker for the whole request stands after the last part that can bear one."""
    for position, message in reversed(list(enumerate(messages))):
        for index, part in reversed(list(enumerate(message.parts))):
            if isinstance(part, Text | Image | Document | ToolCall | ToolResult):
                marked = msgspec.structs.replace(part, cache=part.cache or lifetime)
                parts: Parts = (*message.parts[:index], marked, *message.parts[index + 1 :])
                messages[position] = msgspec.structs.replace(message, parts=parts)
                return


def tools_of(body: Place, names: dict[str, str]) -> Iterator[Tool]:
    count = 0
    for tool in body.each("tools"):
        if is_function(tool):
            names[f"tools[{count}]"] = tool.path
            count += 1
            yield tool_of(tool)


def is_function(tool: Place) -> bool:
    """Whether the caller runs the tool and describes it; those that Anthropic runs or describes are lost."""
    kind = tool.text("type") or "custom"
    if kind != "custom":
        tool.lose("type", kind)
    return kind == "custom"


def tool_of(tool: Place) -> Tool:
    # It says how finely the arguments are to be streamed: as finely as they come, whatever it says.
    tool.forget("eager_input_streaming")
    tool.ignore("defer_loading", False)
    tool.ignore("allowed_callers", ["direct"])
    tool.ignore("input_examples", [])
    found = Tool(
        name=tool.need("name", TEXT),
        description=tool.text("description"),
        parameters=tool.raw_object("input_schema"),
        strict=tool.take("strict", FLAG),
        cache=marker(tool),
    )
    tool.close()
    return found


def tool_choice_of(body: Place) -> ToolChoice | None:
    choice = body.child("tool_choice")
    if choice is None:
        return None
    mode = CHOICES.get(choice.need("type", TEXT))
    if mode is None:
        raise wrong_value(choice.at("type"), *CHOICES)
    alone = choice.take("disable_parallel_tool_use", FLAG)
    name = choice.need("name", TEXT) if mode == "tool" else ""
    choice.close()
    return ToolChoice(mode=mode, name=name, parallel=None if alone is None else not alone)


def output_limit(body: Place) -> int | None:
    """Absent where tokens are only to be counted."""
    limit = body.take("max_tokens", WHOLE)
    if limit == 0:
        raise refused("max_tokens", "0 only warms Anthropic's own cache; for this model it must be at least 1")
    return limit


def user_of(body: Place) -> str:
    metadata = body.child("metadata")
    if metadata is None:
        return ""
    user = metadata.text("user_id")
    metadata.close()
    return user


def thinking_of(body: Place, names: dict[str, str]) -> tuple[Reasoning | None, Format | None]:
    """How much to think, which is told in two fields, and what the answer must look like, told in one of them."""
    effort, wanted = output_config_of(body)
    thinking = body.child("thinking")
    if thinking is None:
        names["reasoning"] = names["reasoning.effort"]
        return (Reasoning(effort=effort) if effort else None), wanted
    reasoning: Reasoning | None
    match thinking.need("type", TEXT):
        case "enabled":
            budget = thinking.need("budget_tokens", WHOLE)
            reasoning = Reasoning(effort=effort, budget_tokens=budget, summary=summary_of(thinking))
        case "adaptive":
            reasoning = Reasoning(effort=effort, summary=summary_of(thinking))
        case "disabled":
            reasoning = Reasoning(effort=effort, enabled=False)
        case other:
            thinking.lose("type", other)
            reasoning = Reasoning(effort=effort) if effort else None
    thinking.close()
    return reasoning, wanted


def summary_of(thinking: Place) -> str:
    return SUMMARIES.get(thinking.text("display"), "")


def output_config_of(body: Place) -> tuple[str, Format | None]:
    config = body.child("output_config")
    if config is None:
        return "", None
    effort = config.text("effort")
    wanted = None
    if (form := config.child("format")) is not None:
        if form.need("type", TEXT) != "json_schema":
            raise wrong_value(form.at("type"), "json_schema")
        wanted = Format(kind="schema", schema=form.raw_object("schema"), strict=True)
        form.close()
    config.close()
    return effort, wanted
