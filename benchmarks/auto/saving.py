"""What "auto" costs on the labelled prompts, against the strongest model for all and against drawing lots.

Quality is a proxy: the share of prompts that went at least to a model meant for their labelled tier. The lengths of
prompts are the set's own, those of answers are assumed by tier; every model is taken to answer at equal length.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from benchmarks.auto.labelled import Labelled
from gateway.estimates import estimated_input_tokens
from gateway.routing.auto.choice import tier_order
from gateway.routing.auto.classifier import TIERS, Classified
from providers.price_list import find_model
from providers.route_policy import Tier

ANSWER_TOKENS: Final[Mapping[Tier, int]] = {"simple": 40, "medium": 450, "complex": 2_000, "reasoning": 1_500}
"""Assumed, not measured."""
PRICED_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)


class Rung(msgspec.Struct, frozen=True):
    """A model, and the hardest tier that it is meant for."""

    model: str
    tier: Tier


class Ladder(msgspec.Struct, frozen=True):
    """The targets of a route, from the cheapest to the strongest."""

    provider: str
    rungs: tuple[Rung, ...]


LADDERS: Final = (
    Ladder("openai", (Rung("gpt-5-nano", "simple"), Rung("gpt-5-mini", "medium"), Rung("gpt-5", "reasoning"))),
    Ladder(
        "anthropic",
        (
            Rung("claude-haiku-4-5", "medium"),
            Rung("claude-sonnet-4-5", "complex"),
            Rung("claude-opus-4-5", "reasoning"),
        ),
    ),
)


class Outcome(msgspec.Struct, frozen=True):
    """Shares of 1: of the prompts that reached their tier, and of what the strongest model for all would have cost.

    `random_*`: models drawn by lot in the same shares, in expectation. `mixed_cost`: by lot too, with as many more to
    the strongest as it takes to be as good as auto.
    """

    quality: float
    cost: float
    random_quality: float
    random_cost: float

    @property
    def mixed_cost(self) -> float:
        if self.random_quality >= self.quality:
            return self.random_cost
        more = (self.quality - self.random_quality) / (1 - self.random_quality)
        return self.random_cost + more * (1 - self.random_cost)


def outcome(ladder: Ladder, prompts: Sequence[Labelled], said: Sequence[Classified], dial: int) -> Outcome:
    """What comes of it at a dial, with nothing learnt."""
    meant_for = [rung.tier for rung in ladder.rungs]
    taken = [tier_order(each, meant_for, dial=dial, learned={})[0] for each in said]
    costs = [[cost_of(ladder.provider, rung.model, each) for each in prompts] for rung in ladder.rungs]
    strong = sum(costs[-1])
    shares = [taken.count(rung) / len(taken) for rung in range(len(ladder.rungs))]
    return Outcome(
        quality=share_of(reaches(ladder.rungs[rung], each) for rung, each in zip(taken, prompts, strict=True)),
        cost=sum(costs[rung][number] for number, rung in enumerate(taken)) / strong,
        random_quality=sum(
            share * share_of(reaches(rung, each) for each in prompts)
            for share, rung in zip(shares, ladder.rungs, strict=True)
        ),
        random_cost=sum(share * sum(of_rung) for share, of_rung in zip(shares, costs, strict=True)) / strong,
    )


def reaches(rung: Rung, prompt: Labelled) -> bool:
    return TIERS.index(rung.tier) >= TIERS.index(prompt.tier)


def share_of(truths: Iterable[bool]) -> float:
    listed = list(truths)
    return sum(listed) / len(listed)


def cost_of(provider: str, model: str, prompt: Labelled) -> float:
    """In nano-USD, by the price list. Raises LookupError for a model it doesn't price."""
    listed = find_model(provider, model)
    rates = listed.rates_at(PRICED_AT) if listed else None
    if rates is None:
        raise LookupError(f"the price list has no {provider}/{model}")
    tokens = estimated_input_tokens(prompt.request()) * rates.input[0][1]
    return (tokens + ANSWER_TOKENS[prompt.tier] * rates.output[0][1]) / 1_000_000
