"""A Prompt as a chat completion request (platform.openai.com/docs/api-reference/chat/create)."""

from collections.abc import Mapping

import msgspec

from providers.wire.effort import effort_for
from providers.wire.endpoints import fitted
from providers.wire.neutral import Format, Losses, Prompt, Reasoning, Tool, ToolChoice
from providers.wire.openai.compose_messages import Messages
from providers.wire.openai.endpoint import endpoint_url
from providers.wire.shapes import Target, UpstreamRequest

ENCODER = msgspec.json.Encoder()
Fields = dict[str, object]
# What these callers' formats have in common with this one, under the same names.
SAME_ELSEWHERE = frozenset(
    (
        "audio", "logit_bias", "metadata", "modalities", "moderation", "prediction", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention", "safety_identifier", "store", "verbosity",
        "web_search_options",
    )
)  # fmt: skip
# Fields that have another name in a Prompt.
NAMES: Mapping[str, str] = {
    "max_completion_tokens": "max_output_tokens",
    "response_format": "format",
    "n": "choices",
    "reasoning_effort": "reasoning",
    "parallel_tool_calls": "tool_choice.parallel",
}
# A summary of the thought is what servers show without being asked.
SUMMARIES_AS_USUAL = ("", "auto", "none")


def build_prompt(prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
    """Raises InvalidRequest for what cannot be expressed, unless the route drops it."""
    url = endpoint_url(target, "chat", target.model)
    losses = Losses(prompt, target.model, drop=target.drop_params)
    fields: Fields = {"model": target.model, "messages": Messages(target.quirks, losses).of(prompt.messages)}
    fields |= tool_fields(prompt)
    fields |= sampling_fields(prompt)
    fields |= reasoning_fields(prompt.reasoning, losses)
    if prompt.format is not None:
        fields["response_format"] = format_object(prompt.format)
    if stream:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    for name, raw in prompt.others.items():
        if name in SAME_ELSEWHERE or name in target.quirks.renamed:
            fields.setdefault(name, raw)
        else:
            losses.lose(name)
    if prompt.top_k is not None and "top_k" not in target.quirks.renamed:
        losses.lose("top_k")
        del fields["top_k"]
    return UpstreamRequest(
        url=url,
        headers=target.headers,
        body=ENCODER.encode(fitted(fields, target.quirks, losses, NAMES)),
        stream=stream,
        dropped=tuple(losses.dropped),
    )


def sampling_fields(prompt: Prompt) -> Fields:
    """What was asked for. `top_k` is none of OpenAI's; quirks name it for the servers that know it."""
    found: Fields = {
        "max_completion_tokens": prompt.max_output_tokens,
        "temperature": prompt.temperature,
        "top_p": prompt.top_p,
        "top_k": prompt.top_k,
        "stop": list(prompt.stop) or None,
        "seed": prompt.seed,
        "presence_penalty": prompt.presence_penalty,
        "frequency_penalty": prompt.frequency_penalty,
        "logprobs": prompt.logprobs or None,
        "top_logprobs": prompt.top_logprobs,
        "n": prompt.choices if prompt.choices != 1 else None,
        "user": prompt.user or None,
        "service_tier": prompt.service_tier or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def reasoning_fields(reasoning: Reasoning | None, losses: Losses) -> Fields:
    if reasoning is None:
        return {}
    if reasoning.summary not in SUMMARIES_AS_USUAL:
        losses.lose("reasoning.summary")
    if not reasoning.enabled:
        return {"reasoning_effort": "none"}
    effort = reasoning.effort or effort_for(reasoning.budget_tokens)
    return {"reasoning_effort": effort} if effort else {}


def tool_fields(prompt: Prompt) -> Fields:
    """A choice among no tools is refused by the vendor, and says nothing."""
    if not prompt.tools:
        return {}
    fields: Fields = {"tools": [tool_object(tool) for tool in prompt.tools]}
    if (choice := prompt.tool_choice) is not None:
        fields["tool_choice"] = choice_object(choice)
        if choice.parallel is not None:
            fields["parallel_tool_calls"] = choice.parallel
    return fields


def tool_object(tool: Tool) -> Fields:
    function: Fields = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def choice_object(choice: ToolChoice) -> object:
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "tool" else choice.mode


def format_object(wanted: Format) -> Fields:
    if wanted.kind != "schema":
        return {"type": "json_object" if wanted.kind == "json" else "text"}
    schema: Fields = {"name": wanted.name or "answer"}
    if wanted.description:
        schema["description"] = wanted.description
    if wanted.schema is not None:
        schema["schema"] = wanted.schema
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}
