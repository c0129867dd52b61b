"""A prompt in Gemini's words (ai.google.dev/api/generate-content#request-body)."""

import re

import msgspec

from providers.wire.endpoints import fitted, path_of, url_of
from providers.wire.gemini.contents import Contents
from providers.wire.gemini.thinking import thinking_config
from providers.wire.neutral import Format, Image, Losses, Prompt, Tool, ToolChoice, ToolResult
from providers.wire.shapes import Target, UpstreamRequest

ENCODER = msgspec.json.Encoder()
PATH = "/models/{model}:generateContent"
# Fields that no dialect has but that callers send to Gemini all the same, and how Google writes them.
KNOWN_FIELDS = {
    "safetySettings": "safetySettings",
    "safety_settings": "safetySettings",
    "cachedContent": "cachedContent",
    "cached_content": "cachedContent",
}
# What the settings are called in a prompt.
NAMES = {
    "candidateCount": "choices",
    "maxOutputTokens": "max_output_tokens",
    "topP": "top_p",
    "topK": "top_k",
    "stopSequences": "stop",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "responseLogprobs": "logprobs",
    "logprobs": "top_logprobs",
    "responseMimeType": "format",
    "responseJsonSchema": "format",
    "thinkingConfig": "reasoning",
}
TIERS = {"flex": "flex", "priority": "priority"}
USUAL_TIERS = {"", "auto", "default", "standard", "standard_only"}
RESOLUTIONS = {"high": "MEDIA_RESOLUTION_HIGH", "low": "MEDIA_RESOLUTION_LOW"}


def build_prompt(prompt: Prompt, target: Target, *, stream: bool) -> UpstreamRequest:
    """Raises InvalidRequest for what Gemini cannot be told."""
    losses = Losses(prompt, target.model, drop=target.drop_params)
    url = endpoint(target, stream=stream)
    lose_the_inexpressible(prompt, losses)
    contents = Contents(target, losses)
    contents.add(prompt)
    body: dict[str, object] = {
        "contents": contents.turns,
        "systemInstruction": contents.system,
        "tools": tools_of(prompt.tools),
        "toolConfig": tool_config(prompt, losses),
        "generationConfig": fitted(generation_config(prompt, target.model, losses), target.quirks, losses, NAMES),
        "serviceTier": TIERS.get(prompt.service_tier),
        **{KNOWN_FIELDS[name]: raw for name, raw in prompt.others.items() if name in KNOWN_FIELDS},
    }
    return UpstreamRequest(
        url=url,
        headers=target.headers,
        body=ENCODER.encode(said(body)),
        stream=stream,
        dropped=tuple(losses.dropped),
    )


def endpoint(target: Target, *, stream: bool) -> str:
    """A model may be named as Google lists it, with `models/` before its name."""
    named = msgspec.structs.replace(target, model=target.model.removeprefix("models/"))
    path = path_of(named, "chat", PATH)
    if not stream:
        return url_of(target, path)
    return url_of(target, re.sub(r":generateContent$", ":streamGenerateContent", path), {"alt": "sse"})


def said(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None and value not in ({}, [])}


def lose_the_inexpressible(prompt: Prompt, losses: Losses) -> None:
    if prompt.user:
        losses.lose("user")
    if prompt.service_tier not in USUAL_TIERS | TIERS.keys():
        losses.lose("service_tier")
    for name, raw in prompt.others.items():
        if name not in KNOWN_FIELDS and bytes(raw) != b"null":
            losses.lose(name)


def generation_config(prompt: Prompt, model: str, losses: Losses) -> dict[str, object]:
    return said(
        {
            "candidateCount": prompt.choices if prompt.choices > 1 else None,
            "maxOutputTokens": prompt.max_output_tokens,
            "temperature": prompt.temperature,
            "topP": prompt.top_p,
            "topK": prompt.top_k,
            "stopSequences": list(prompt.stop),
            "seed": prompt.seed,
            "presencePenalty": prompt.presence_penalty,
            "frequencyPenalty": prompt.frequency_penalty,
            "responseLogprobs": prompt.logprobs or None,
            "logprobs": prompt.top_logprobs or None,
            "mediaResolution": media_resolution(prompt),
            "thinkingConfig": thinking_config(prompt, model, losses),
            **format_config(prompt.format),
        }
    )


def format_config(wanted: Format | None) -> dict[str, object]:
    """A schema's name and description are for the caller; Gemini follows every schema strictly."""
    if wanted is None or wanted.kind == "text":
        return {}
    config: dict[str, object] = {"responseMimeType": "application/json"}
    if wanted.kind == "schema" and wanted.schema is not None:
        config["responseJsonSchema"] = wanted.schema
    return config


def media_resolution(prompt: Prompt) -> str | None:
    """One for the whole request: the highest that an image asks for."""
    details = {part.detail for part in pictures(prompt)}
    return next((resolution for detail, resolution in RESOLUTIONS.items() if detail in details), None)


def pictures(prompt: Prompt) -> list[Image]:
    shown = [part for message in prompt.messages for part in message.parts]
    shown += [part for result in shown if isinstance(result, ToolResult) for part in result.parts]
    return [part for part in shown if isinstance(part, Image)]


def tools_of(tools: tuple[Tool, ...]) -> list[object]:
    return [{"functionDeclarations": [declaration(tool) for tool in tools]}] if tools else []


def declaration(tool: Tool) -> dict[str, object]:
    declared: dict[str, object] = {"name": tool.name, "description": tool.description or None}
    return said({**declared, "parametersJsonSchema": tool.parameters})


def tool_config(prompt: Prompt, losses: Losses) -> dict[str, object] | None:
    """In the modes ANY and VALIDATED calls follow their schema, as `strict` asks; in AUTO they may not."""
    choice = prompt.tool_choice or ToolChoice()
    if choice.parallel is False:
        losses.lose("tool_choice.parallel")
    if not prompt.tools:
        return None
    config: dict[str, object]
    match choice.mode:
        case "none":
            config = {"mode": "NONE"}
        case "required":
            config = {"mode": "ANY"}
        case "tool":
            config = {"mode": "ANY", "allowedFunctionNames": [choice.name]}
        case _ if any(tool.strict for tool in prompt.tools):
            config = {"mode": "VALIDATED"}
        case _:
            return None
    return {"functionCallingConfig": config}
