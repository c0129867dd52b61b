"""What a request will try, in order, and why."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from msgspec import Struct

from common.errors import Unavailable
from gateway.routing.auto.choice import chosen_tier
from gateway.routing.auto.classifier import Classified
from gateway.routing.conditions import holds
from gateway.routing.facts import Facts
from gateway.routing.sticky import in_order_of, share_of
from gateway.routing.strategies import STRATEGIES, Choosing, Group
from providers.catalogue import Candidate, Resolution, RouteEntry

ONLY: Final = "only_target"


class Planned(Struct, frozen=True):
    """`reason` is one word; `score` what the strategy measured, None where nothing was compared."""

    candidate: Candidate
    reason: str
    score: float | None = None


class Plan(Struct, frozen=True):
    """`order` is what is tried, `skipped` what is not there for this request, `fallbacks` come after the order by what
    went wrong. Never without an order."""

    order: tuple[Planned, ...]
    skipped: tuple[Planned, ...] = ()
    fallbacks: tuple[Candidate, ...] = ()
    shadows: tuple[Candidate, ...] = ()
    classified: Classified | None = None


def planned(choosing: Choosing, resolution: Resolution, facts: Facts) -> Plan:
    """Raises Unavailable when none of the route's targets is there now."""
    route, candidates = resolution.route, resolution.candidates
    by_role: dict[str, list[Candidate]] = {}
    for each in candidates:
        by_role.setdefault(each.role, []).append(each)
    fallbacks, skipped = those_there(by_role.get("fallback", ()), facts)
    if route is None:
        named = tuple(Planned(each, ONLY) for each in by_role["target"])
        return Plan(named, tuple(skipped), tuple(fallbacks))
    there, others = those_there(by_role.get("target", ()), facts)
    order = [*drawn_canaries(choosing, route, by_role.get("canary", ()), facts)]
    order += in_order(choosing, route, there, facts)
    if not order:
        raise Unavailable(
            f"No target of the route '{route.name}' is there for this request: their tags or schedules do not fit.",
            code="no_target_applies",
        )
    shadows = drawn_shadows(choosing, route, by_role.get("shadow", ()))
    return Plan(tuple(order), (*others, *skipped), tuple(fallbacks), shadows, facts.classified)


def auto_words(plan: Plan, route: RouteEntry) -> dict[str, Any] | None:
    """What was made of the question: the `tier` it is treated as, and what it looked like."""
    classified = plan.classified
    if classified is None:
        return None
    return {
        "tier": chosen_tier(classified, dial=route.policy.dial, learned=route.learned),
        "looks": classified.tier,
        "probabilities": [round(each, 3) for each in classified.probabilities],
        "reasons": list(classified.reasons),
    }


def those_there(candidates: Sequence[Candidate], facts: Facts) -> tuple[list[Candidate], list[Planned]]:
    """Those that are there for this request, and the others with what they lack."""
    there: list[Candidate] = []
    skipped: list[Planned] = []
    for each in candidates:
        if missing := reason_to_skip(each, facts):
            skipped.append(Planned(each, missing))
        else:
            there.append(each)
    return there, skipped


def reason_to_skip(candidate: Candidate, facts: Facts) -> str:
    if candidate.tags and facts.tags.isdisjoint(candidate.tags):
        return "other_tags"
    if candidate.schedule is not None and not holds(candidate.schedule, facts.now):
        return "not_scheduled"
    return ""


def in_order(choosing: Choosing, route: RouteEntry, candidates: Sequence[Candidate], facts: Facts) -> Iterator[Planned]:
    groups: list[Group] = [list(group) for _, group in groupby(candidates, key=lambda each: each.rule_number)]
    if len(groups) < 2:
        return (Planned(each, ONLY) for group in groups for each in group)
    if route.policy.sticky and facts.session:
        return (Planned(each, "sticky") for group in in_order_of(facts.session, groups) for each in group)
    scored = STRATEGIES[route.strategy](choosing, route, groups, facts)
    return (Planned(each, route.strategy, score) for group, score in scored for each in group)


def drawn_canaries(
    choosing: Choosing, route: RouteEntry, canaries: Sequence[Candidate], facts: Facts
) -> Iterator[Planned]:
    """One session is always drawn alike."""
    canary = route.policy.canary
    if canary is None or not canaries:
        return
    lot = share_of(f"{route.name}\n{facts.session}") if facts.session else choosing.random.random()
    if lot * 100 < canary.percent:
        yield from (Planned(each, "canary") for each in canaries)


def drawn_shadows(choosing: Choosing, route: RouteEntry, shadows: Sequence[Candidate]) -> tuple[Candidate, ...]:
    shadow = route.policy.shadow
    if shadow is None or choosing.random.random() * 100 >= shadow.percent:
        return ()
    return tuple(shadows[:1])
