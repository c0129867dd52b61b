"""How much Claude is to think, in the words of its generation (platform.claude.com/docs/en/build-with-claude/thinking).

Until 4.5 a model was given a budget of tokens; 4.6 takes a budget or decides for itself (`adaptive`); all since decide
for themselves, guided by an effort, and refuse budgets, other sampling than the usual, and some to be told not to think
or which tool to use. Models that are not Claude are taken for the oldest, which is what compatible servers imitate.
"""

import re
from typing import Literal

import msgspec

from providers.wire.effort import effort_for
from providers.wire.neutral import Losses, Prompt, Reasoning

Off = Literal["omitted", "disabled", "between_tools", "never"]
EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
# Of `max_tokens`, which thoughts count towards: what is left is for the answer.
SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.9, "max": 0.95}
LEAST_BUDGET = 1024
ALWAYS_THINKING = {"fable", "mythos"}
NAME = re.compile(r"claude-(?:([a-z]+)-)?(\d+)(?:[-.](\d{1,2})(?!\d))?")
UNNUMBERED = re.compile(r"claude-(fable|mythos)\b")


class Generation(msgspec.Struct, frozen=True):
    """What a model accepts. `off` is how it is told not to think; `sampling` is any but the usual one."""

    adaptive: bool = False
    budgets: bool = True
    off: Off = "omitted"
    sampling: bool = True
    forced_tools: bool = True


def generation_of(model: str) -> Generation:
    """By the model's name, with a cloud's prefix or suffix or without."""
    found = NAME.search(model)
    if found is None:
        unnumbered = UNNUMBERED.search(model)
        return numbered(unnumbered[1], (5, 0)) if unnumbered else Generation(off="disabled")
    return numbered(found[1] or "", (int(found[2]), int(found[3] or 0)))


def numbered(family: str, version: tuple[int, int]) -> Generation:
    modern = family in ALWAYS_THINKING
    return Generation(
        adaptive=modern or version >= (4, 6),
        budgets=not modern and version <= (4, 6),
        off=off_of(family, version),
        sampling=not modern and version < (4, 7),
        forced_tools=not is_unforced(family, version),
    )


def off_of(family: str, version: tuple[int, int]) -> Off:
    if family in ALWAYS_THINKING or (family == "opus" and version >= (5, 5)):
        return "never"
    if family == "sonnet" and version >= (5, 5):
        return "between_tools"
    return "disabled" if version >= (5, 0) else "omitted"


def is_unforced(family: str, version: tuple[int, int]) -> bool:
    since = (5, 1) if family in ALWAYS_THINKING else (5, 5)
    return family != "haiku" and version >= since


def thinking_of(prompt: Prompt, generation: Generation, max_tokens: int, losses: Losses) -> dict[str, object] | None:
    """The `thinking` field, None where it is not to be sent."""
    reasoning = prompt.reasoning
    if reasoning is None:
        return None
    if is_off(reasoning):
        return unthinking(generation, losses)
    if reasoning.effort and reasoning.effort not in EFFORTS:
        losses.lose("reasoning.effort" if "reasoning.effort" in prompt.names else "reasoning")
    budget = reasoning.budget_tokens if generation.budgets else None
    if generation.adaptive and budget is None:
        return {"type": "adaptive"} | display_of(reasoning)
    budget = budget if budget is not None else share_of(reasoning.effort, max_tokens)
    if budget is None:
        losses.lose("reasoning")
        return None
    return {"type": "enabled", "budget_tokens": budget} | display_of(reasoning)


def is_off(reasoning: Reasoning) -> bool:
    return not reasoning.enabled or reasoning.effort == "none"


def unthinking(generation: Generation, losses: Losses) -> dict[str, object] | None:
    if generation.off == "never":
        losses.lose("reasoning")
    return {"type": generation.off} if generation.off in ("disabled", "between_tools") else None


def display_of(reasoning: Reasoning) -> dict[str, object]:
    """Which of its thoughts are shown is the model's usual one's where the caller did not ask for a summary."""
    if not reasoning.summary:
        return {}
    return {"display": "omitted" if reasoning.summary in ("omitted", "none") else "summarized"}


def share_of(effort: str, max_tokens: int) -> int | None:
    """A budget for models that know no effort; None where so few tokens are asked for that no thought fits."""
    budget = max(int(max_tokens * SHARES.get(effort, SHARES["medium"])), LEAST_BUDGET)
    return budget if budget < max_tokens else None


def effort_of(reasoning: Reasoning | None, generation: Generation) -> str:
    """The `output_config.effort`, empty where it is not to be sent; a budget, where none is taken, as an effort."""
    if reasoning is None or not generation.adaptive:
        return ""
    budget = None if generation.budgets else reasoning.budget_tokens
    return EFFORTS.get(reasoning.effort or effort_for(budget), "")


def sampling_of(prompt: Prompt, generation: Generation, *, budgeted: bool, losses: Losses) -> dict[str, object]:
    """`temperature`, `top_p` and `top_k`. While it thinks by a budget a model takes no other temperature than 1."""
    fields: dict[str, object] = {}
    if prompt.temperature is not None:
        if prompt.temperature == 1 or (generation.sampling and not budgeted and 0 <= prompt.temperature <= 1):
            fields["temperature"] = prompt.temperature
        else:
            losses.lose("temperature")
    if prompt.top_p is not None:
        if generation.sampling or prompt.top_p == 1:
            fields["top_p"] = prompt.top_p
        else:
            losses.lose("top_p")
    if prompt.top_k is not None:
        if generation.sampling and not budgeted:
            fields["top_k"] = prompt.top_k
        else:
            losses.lose("top_k")
    return fields if generation.sampling else {}
