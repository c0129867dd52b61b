"""A prompt in Ollama's words (docs.ollama.com/api/chat; /api/embed for embeddings)."""

import msgspec

from providers.wire.endpoints import fitted, path_of, url_of
from providers.wire.neutral import Format, Losses, Prompt, Tool, ToolChoice
from providers.wire.ollama.messages import messages_of
from providers.wire.shapes import Target, UpstreamRequest

ENCODER = msgspec.json.Encoder()
PATH = "/api/chat"
USUAL_TIERS = {"", "auto", "default", "standard", "standard_only"}
# Fields that no dialect has but that callers send to Ollama all the same, and where they belong.
KNOWN_FIELDS = {"keep_alive", "truncate", "shift"}
KNOWN_OPTIONS = {"min_p", "typical_p", "repeat_penalty", "repeat_last_n", "num_ctx", "num_keep"}
NO_PARAMETERS = msgspec.Raw(b'{"type":"object","properties":{}}')
# What the options of other names are called in a prompt.
NAMES = {"num_predict": "max_output_tokens"}
LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def build_prompt(prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
    """Raises InvalidRequest for what Ollama cannot be told."""
    losses = Losses(prompt, target.model, drop=target.drop_params)
    path = path_of(target, "chat", PATH)
    lose_the_inexpressible(prompt, losses)
    body: dict[str, object] = {
        "model": target.model,
        "messages": list(messages_of(prompt, losses)),
        "stream": stream,
        "tools": tools_of(prompt, losses),
        "format": None if prompt.format is None else format_of(prompt.format),
        "think": think_of(prompt, target.model, losses),
        "options": fitted(options_of(prompt), target.quirks, losses, NAMES),
        "logprobs": prompt.logprobs or None,
        "top_logprobs": prompt.top_logprobs,
        **{name: raw for name, raw in prompt.others.items() if name in KNOWN_FIELDS},
    }
    said = {name: value for name, value in body.items() if value not in (None, {}, ())}
    return UpstreamRequest(
        url=url_of(target, path),
        headers=target.headers,
        body=ENCODER.encode(said),
        stream=stream,
        dropped=tuple(losses.dropped),
    )


def lose_the_inexpressible(prompt: Prompt, losses: Losses) -> None:
    if prompt.choices > 1:
        losses.lose("choices")
    if prompt.user:
        losses.lose("user")
    if prompt.service_tier not in USUAL_TIERS:
        losses.lose("service_tier")
    for name, raw in prompt.others.items():
        if name not in KNOWN_FIELDS | KNOWN_OPTIONS and bytes(raw) != b"null":
            losses.lose(name)


def options_of(prompt: Prompt) -> dict[str, object]:
    options: dict[str, object] = {
        "temperature": prompt.temperature,
        "top_p": prompt.top_p,
        "top_k": prompt.top_k,
        "num_predict": prompt.max_output_tokens,
        "stop": prompt.stop or None,
        "seed": prompt.seed,
        "presence_penalty": prompt.presence_penalty,
        "frequency_penalty": prompt.frequency_penalty,
        **{name: raw for name, raw in prompt.others.items() if name in KNOWN_OPTIONS},
    }
    return {name: value for name, value in options.items() if value is not None}


def tools_of(prompt: Prompt, losses: Losses) -> tuple[object, ...]:
    """A model that shall call nothing is offered nothing: Ollama has no word for it."""
    choice = prompt.tool_choice or ToolChoice()
    if choice.mode in ("required", "tool"):
        losses.lose("tool_choice")
    if choice.parallel is False:
        losses.lose("tool_choice.parallel")
    if choice.mode == "none":
        return ()
    return tuple(tool_of(tool, index, losses) for index, tool in enumerate(prompt.tools))


def tool_of(tool: Tool, index: int, losses: Losses) -> dict[str, object]:
    if tool.strict:
        losses.lose(f"tools[{index}].strict")
    function: dict[str, object] = {"name": tool.name, "parameters": tool.parameters or NO_PARAMETERS}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def format_of(wanted: Format) -> str | msgspec.Raw | None:
    """A schema's name and description are for the caller; Ollama follows every schema strictly."""
    if wanted.kind == "text":
        return None
    return wanted.schema if wanted.kind == "schema" and wanted.schema is not None else "json"


def think_of(prompt: Prompt, model: str, losses: Losses) -> bool | str | None:
    """Only gpt-oss knows levels; every other model thinks or does not."""
    reasoning = prompt.reasoning
    if reasoning is None:
        return None
    if not reasoning.enabled or reasoning.effort == "none":
        return False
    if reasoning.budget_tokens is not None:
        losses.lose("reasoning.budget_tokens")
    if reasoning.effort and reasoning.effort not in LEVELS:
        losses.lose("reasoning.effort" if "reasoning.effort" in prompt.names else "reasoning")
    return LEVELS.get(reasoning.effort, True) if "gpt-oss" in model.lower() else True
