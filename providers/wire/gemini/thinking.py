"""How much to think (ai.google.dev/gemini-api/docs/thinking): levels since Gemini 3, budgets in tokens before."""

import re

from providers.wire.neutral import Losses, Prompt

GENERATION = re.compile(r"gemini-(\d+)")
LEVELS = {
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
# What Google's own OpenAI endpoint makes of an effort (ai.google.dev/gemini-api/docs/openai#thinking).
BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 24_576, "max": 24_576}


def has_levels(model: str) -> bool:
    """Gemini 3 and newer; they also want the proof of a thought with every call that it led to."""
    found = GENERATION.search(model)
    return found is not None and int(found[1]) >= 3


def thinking_config(prompt: Prompt, model: str, losses: Losses) -> dict[str, object] | None:
    """Thoughts are shown to whoever asks for thinking. The least of Gemini 3's levels stands for none at all."""
    reasoning = prompt.reasoning
    if reasoning is None:
        return None
    if not reasoning.enabled or reasoning.effort == "none":
        return {"thinkingLevel": "MINIMAL"} if has_levels(model) else {"thinkingBudget": 0}
    config: dict[str, object] = {"includeThoughts": True}
    if reasoning.budget_tokens is not None:
        config["thinkingBudget"] = reasoning.budget_tokens
    elif reasoning.effort in LEVELS:
        config |= level_of(reasoning.effort, model)
    elif reasoning.effort:
        losses.lose("reasoning.effort" if "reasoning.effort" in prompt.names else "reasoning")
    return config


def level_of(effort: str, model: str) -> dict[str, object]:
    return {"thinkingLevel": LEVELS[effort]} if has_levels(model) else {"thinkingBudget": BUDGETS[effort]}
