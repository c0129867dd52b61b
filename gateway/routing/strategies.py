"""The strategies: each puts the targets of a route in order and gives every one a score. Pure but for the dice.

A *group* is one target with all its credentials, which stay together, in their own order. The lower a score, the
better; what it measures is the strategy's own.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Final, TypeVar
from uuid import UUID

from billing.pricing import cost
from gateway.routing.auto.choice import tier_order
from gateway.routing.facts import Facts, Measured
from providers.catalogue import Candidate, RouteEntry
from providers.route_policy import Strategy
from providers.wire.shapes import Usage

T = TypeVar("T")
Group = Sequence[Candidate]
Scored = tuple[Group, float]
USUAL_OUTPUT_TOKENS: Final = 400
MOST_ROUTES: Final = 10_000


class Choosing:
    """What the strategies share: what is measured, the dice, and whose turn it is."""

    def __init__(self, measured: Measured, random: Random) -> None:
        self.measured = measured
        self.random = random
        self._turns: dict[tuple[UUID, str], int] = {}

    def preview(self) -> "Choosing":
        """One that chooses alike, and takes nobody's turn."""
        other = Choosing(self.measured, self.random)
        other._turns = dict(self._turns)
        return other

    def turn(self, tenant_id: UUID, route: str) -> int:
        """One more each time, for every tenant and route."""
        if len(self._turns) > MOST_ROUTES:
            self._turns.clear()
        number = self._turns.get((tenant_id, route), self.random.randrange(1_000))
        self._turns[tenant_id, route] = number + 1
        return number


Order = Callable[[Choosing, RouteEntry, Sequence[Group], Facts], list[Scored]]


def by_priority(_: Choosing, route: RouteEntry, groups: Sequence[Group], facts: Facts) -> list[Scored]:
    return numbered(groups)


def by_weight(choosing: Choosing, route: RouteEntry, groups: Sequence[Group], facts: Facts) -> list[Scored]:
    """Each first as often as its weight says; what has none comes last (Efraimidis and Spirakis, 2006)."""

    def drawn(group: Group) -> float:
        weight = group[0].weight
        return -math.log(1.0 - choosing.random.random()) / weight if weight else math.inf

    return ascending((group, drawn(group)) for group in groups)


def in_turn(choosing: Choosing, route: RouteEntry, groups: Sequence[Group], facts: Facts) -> list[Scored]:
    first = choosing.turn(facts.tenant_id, route.name) % len(groups)
    return numbered([*groups[first:], *groups[:first]])


def least_busy(choosing: Choosing, route: RouteEntry, groups: Sequence[Group], facts: Facts) -> list[Scored]:
    """By what is under way, of which who weighs more may have more; by lot among equals."""

    def busy(group: Group) -> float:
        under_way = sum(choosing.measured.vitals(each.target.key).in_flight for each in group)
        return (under_way + 1) / group[0].weight if group[0].weight else math.inf

    return ascending((group, busy(group)) for group in shuffled(groups, choosing.random))


def by_latency(choosing: Choosing, route: RouteEntry, groups: Sequence[Group], facts: Facts) -> list[Scored]:
    """Power of two choices over the peak-EWMA of the time to the first chunk: the better of two drawn by lot comes
    first, the rest after it by their scores. (Mitzenmacher, 2001; the measure is Finagle's.)"""
    scored = [(group, latency(choosing.measured, group)) for group in groups]
    if len(scored) < 3:
        # Sorting keeps the order of equals, which a toss gives them: cheaper than to shuffle.
        return ascending(scored if choosing.random.random() < 0.5 else reversed(scored))
    first = min(choosing.random.sample(scored, 2), key=score_of)
    return [first, *ascending(each for each in scored if each is not first)]


def latency(measured: Measured, group: Group) -> float:
    return min(measured.vitals(each.target.key).score() for each in group)


def by_cost(choosing: Choosing, route: RouteEntry, groups: Sequence[Group], facts: Facts) -> list[Scored]:
    """By what this request may be expected to cost; what has no price comes last."""
    return ascending((group, expected_cost(choosing.measured, group[0], facts)) for group in groups)


def expected_cost(measured: Measured, candidate: Candidate, facts: Facts) -> float:
    """In nano-USD, mark-up included: of the prompt, with the share that is usually cached, and an answer of the usual
    length."""
    target = candidate.target
    if target.price is None:
        return math.inf
    vitals = measured.vitals(target.key)
    output = round(vitals.output_tokens) or USUAL_OUTPUT_TOKENS
    if facts.max_output_tokens is not None:
        output = min(output, facts.max_output_tokens)
    cached = round(facts.input_tokens * vitals.cached_share)
    usage = Usage(input_tokens=facts.input_tokens, output_tokens=output, cache_read_tokens=cached)
    return cost(usage, target.price) * (1 + target.mark_up_basis_points / 10_000)


def automatic(choosing: Choosing, route: RouteEntry, groups: Sequence[Group], facts: Facts) -> list[Scored]:
    """By how hard the question looks, and which targets are meant for that."""
    if facts.classified is None:
        return by_priority(choosing, route, groups, facts)
    order = tier_order(
        facts.classified, [group[0].tier for group in groups], dial=route.policy.dial, learned=route.learned
    )
    return numbered([groups[index] for index in order])


STRATEGIES: Final[Mapping[Strategy, Order]] = {
    "priority": by_priority,
    "weighted": by_weight,
    "round_robin": in_turn,
    "least_busy": least_busy,
    "latency": by_latency,
    "cost": by_cost,
    "auto": automatic,
}


def numbered(groups: Sequence[Group]) -> list[Scored]:
    return [(group, float(place)) for place, group in enumerate(groups)]


def ascending(scored: Iterable[Scored]) -> list[Scored]:
    return sorted(scored, key=score_of)


def score_of(scored: tuple[Group, float]) -> float:
    return scored[1]


def shuffled(items: Sequence[T], random: Random) -> list[T]:
    return random.sample(items, len(items))
