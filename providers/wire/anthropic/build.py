"""A prompt as a body of the Messages API (platform.claude.com/docs/en/api/messages).

System messages go to the top, wherever they stood: only some models take them among the others. What cannot be said is
lost (`Losses`). Hints without a counterpart are none of that: an image's `detail`, a format's name and description, the
word for an effort below the lowest.
"""

from collections.abc import Iterator

import msgspec

from common.errors import InvalidRequest
from providers.wire.anthropic.blocks import Block, blocks_of, marked, text_block
from providers.wire.anthropic.reasoning import Generation, effort_of, generation_of, sampling_of, thinking_of
from providers.wire.neutral import Format, Losses, Message, Prompt, Text, Tool, ToolChoice

# Anthropic wants a limit. This one holds long answers with their thoughts, stays within what every model in service can
# write, and below the 21,333 tokens from which its own SDK calls an answer that isn't streamed too long.
USUAL_MAX_TOKENS = 16_384
NO_PARAMETERS = msgspec.Raw(b'{"type":"object","properties":{}}')
CHOICES = {"auto": "auto", "required": "any", "none": "none", "tool": "tool"}
TIERS = {"auto": "auto", "default": "standard_only", "standard": "standard_only", "standard_only": "standard_only"}
# Fields here by their names in a Prompt, for a server that knows fewer.
NAMES = {
    "max_tokens": "max_output_tokens",
    "stop_sequences": "stop",
    "metadata": "user",
    "thinking": "reasoning",
    "output_config": "format",
}
# Fields of other dialects' callers who know that they speak to Claude.
OWN_FIELDS = {"cache_control", "container", "context_management", "inference_geo", "mcp_servers", "speed"}
INEXPRESSIBLE = ("logprobs", "top_logprobs", "seed", "presence_penalty", "frequency_penalty")
SCHEMA = msgspec.json.Decoder(dict[str, msgspec.Raw])


def body_of(prompt: Prompt, model: str, losses: Losses) -> dict[str, object]:
    """Every field but `stream`. Raises InvalidRequest for what cannot be expressed, and for no messages."""
    generation = generation_of(model)
    limit = limit_of(prompt)
    thinking = thinking_of(prompt, generation, limit, losses)
    lose_inexpressible(prompt, losses)
    fields: dict[str, object] = {
        "model": model,
        "max_tokens": limit,
        "system": system_of(prompt, losses),
        "messages": turns_of(prompt, losses),
        "thinking": thinking,
        "output_config": output_of(prompt, generation, losses),
        "tools": [tool_of(tool, place_of(prompt, f"tools[{index}]")) for index, tool in enumerate(prompt.tools)],
        "tool_choice": tool_choice_of(prompt, generation, losses),
        "stop_sequences": stops_of(prompt, losses),
        "metadata": {"user_id": prompt.user} if prompt.user else None,
        "service_tier": tier_of(prompt, losses),
    }
    budgeted = thinking is not None and thinking["type"] == "enabled"
    sampling = sampling_of(prompt, generation, budgeted=budgeted, losses=losses)
    return {name: value for name, value in fields.items() if value} | sampling | own_fields(prompt, losses)


def limit_of(prompt: Prompt) -> int:
    """A budget of thoughts counts towards the limit, so that where only a budget was asked for it comes on top."""
    if prompt.max_output_tokens is not None:
        return prompt.max_output_tokens
    budget = prompt.reasoning.budget_tokens if prompt.reasoning else None
    return USUAL_MAX_TOKENS + (budget or 0)


def lose_inexpressible(prompt: Prompt, losses: Losses) -> None:
    if prompt.choices != 1:
        losses.lose("choices")
    for name in INEXPRESSIBLE:
        value = getattr(prompt, name)
        if value or (name == "seed" and value is not None):
            losses.lose(name)


def own_fields(prompt: Prompt, losses: Losses) -> dict[str, object]:
    sent: dict[str, object] = {}
    for name, value in prompt.others.items():
        if bytes(value) == b"null":
            continue
        if name in OWN_FIELDS:
            sent[name] = value
        else:
            losses.lose(name)
    return sent


def place_of(prompt: Prompt, step: str) -> str:
    """Where the caller wrote what is at `step` of the prompt."""
    return prompt.names.get(step, step)


def system_of(prompt: Prompt, losses: Losses) -> list[Block]:
    found: list[Block] = []
    for index, message in enumerate(prompt.messages):
        if message.role == "system":
            found += system_blocks(message, place_of(prompt, f"messages[{index}]"), losses)
    return found


def system_blocks(message: Message, place: str, losses: Losses) -> Iterator[Block]:
    if message.name:
        losses.lose(f"{place}.name")
    for part in message.parts:
        if not isinstance(part, Text):
            losses.lose(f"{place}.content")
        elif block := text_block(part):
            yield block


def turns_of(prompt: Prompt, losses: Losses) -> list[Block]:
    """Messages of one side in a row are one turn; results of tools come first in theirs, as they must."""
    turns: list[tuple[str, list[Block]]] = []
    for index, message in enumerate(prompt.messages):
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = blocks_of(message, place_of(prompt, f"messages[{index}]"), losses)
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        elif blocks:
            turns.append((role, blocks))
    if not turns:
        raise InvalidRequest(
            "'messages' must hold a message of the user that is not empty.", param="messages", code="invalid_value"
        )
    return [{"role": role, "content": sorted(blocks, key=is_no_result)} for role, blocks in turns]


def is_no_result(block: Block) -> bool:
    return block["type"] != "tool_result"


def tool_of(tool: Tool, place: str) -> Block:
    block: Block = {"name": tool.name, "input_schema": input_schema(tool, f"{place}.parameters")}
    if tool.description:
        block["description"] = tool.description
    if tool.strict:
        block["strict"] = True
    return marked(block, tool.cache)


def input_schema(tool: Tool, place: str) -> object:
    """The schema as the caller wrote it, with the `type` that is mandatory here."""
    if tool.parameters is None or bytes(tool.parameters) == b"null":
        return NO_PARAMETERS
    try:
        schema = SCHEMA.decode(tool.parameters)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest(f"'{place}' must be a JSON schema, an object.", param=place) from None
    return tool.parameters if "type" in schema else {"type": "object", **schema}


def tool_choice_of(prompt: Prompt, generation: Generation, losses: Losses) -> Block | None:
    asked = prompt.tool_choice
    if asked is None or not prompt.tools:
        return None
    if asked.mode in ("required", "tool") and not generation.forced_tools:
        losses.lose("tool_choice")
        asked = ToolChoice(parallel=asked.parallel)
    choice: Block = {"type": CHOICES[asked.mode]}
    if asked.mode == "tool":
        choice["name"] = asked.name
    if asked.parallel is False and asked.mode != "none":
        choice["disable_parallel_tool_use"] = True
    return choice


def output_of(prompt: Prompt, generation: Generation, losses: Losses) -> Block:
    output: Block = {}
    if effort := effort_of(prompt.reasoning, generation):
        output["effort"] = effort
    if schema := schema_of(prompt.format, losses):
        output["format"] = {"type": "json_schema", "schema": schema}
    return output


def schema_of(wanted: Format | None, losses: Losses) -> msgspec.Raw | None:
    """JSON of any shape cannot be asked for: an object there has the properties that its schema names, and no other."""
    if wanted is None or wanted.kind == "text":
        return None
    if wanted.kind == "json" or wanted.schema is None:
        losses.lose("format")
    return wanted.schema


def stops_of(prompt: Prompt, losses: Losses) -> list[str]:
    """A sequence of nothing but white space is refused there."""
    wordy = [stop for stop in prompt.stop if stop.strip()]
    if len(wordy) < len(prompt.stop):
        losses.lose("stop")
    return wordy


def tier_of(prompt: Prompt, losses: Losses) -> str | None:
    if prompt.service_tier and prompt.service_tier not in TIERS:
        losses.lose("service_tier")
    return TIERS.get(prompt.service_tier)
