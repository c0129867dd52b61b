"""Whom a request would go to, and why, without calling anyone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.calls import Call, Caller
from gateway.choosing import facts_of
from gateway.deciding import shown_credential
from gateway.estimates import estimated_input_tokens
from gateway.routing.facts import Facts
from gateway.routing.plan import Planned, auto_words, planned
from gateway.routing.strategies import expected_cost
from gateway.targets.board import Verdict
from providers.catalogue import Candidate, Resolution, RouteEntry

if TYPE_CHECKING:
    from gateway.services import Services


class Shown(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A candidate as it stands for a request. `verdict` is first, next, fallback, out (its circuit is open, or it
    rests) or left_out. Times in seconds."""

    target: str
    credential: str | None = None
    role: str
    verdict: str
    reason: str
    score: float | None = None
    circuit: str
    in_flight: int
    time_to_first_chunk: float | None = None
    expected_cost_nano: int | None = None


class Explained(msgspec.Struct, omit_defaults=True, kw_only=True):
    """`candidates` in the order in which they would be tried; then what is left out, and the fallbacks."""

    route: str
    strategy: str
    model: str
    estimated_input_tokens: int
    cache: bool
    auto: Mapping[str, Any] | None = None
    candidates: list[Shown]


def explained(services: "Services", call: Call, caller: Caller, resolution: Resolution, route: RouteEntry) -> Explained:
    """Raises Unavailable when none of the route's targets is there for this request."""
    tokens = estimated_input_tokens(call.request)
    facts = facts_of(services, call, caller, resolution, tokens)
    plan = planned(services.choosing.preview(), resolution, facts)
    keys = [each.candidate.target.key for each in plan.order]
    verdicts = dict(zip(keys, services.board.admissible(keys), strict=True))
    said: list[tuple[Planned, str]] = []
    for each in plan.order:
        admitted = verdicts[each.candidate.target.key].admits
        first = not any(verdict == "first" for _, verdict in said)
        said.append((each, "out" if not admitted else "first" if first else "next"))
    said += [(each, "left_out") for each in plan.skipped]
    said += [(Planned(each, f"fallback_{each.cause}"), "fallback") for each in plan.fallbacks]
    return Explained(
        route=route.name,
        strategy=route.strategy,
        model=call.request.model,
        estimated_input_tokens=tokens,
        cache=route.policy.cache is not None,
        auto=auto_words(plan, route),
        candidates=[shown(services, each, verdict, facts, verdicts) for each, verdict in said],
    )


def shown(services: "Services", each: Planned, verdict: str, facts: Facts, verdicts: Mapping[str, Verdict]) -> Shown:
    candidate, target = each.candidate, each.candidate.target
    vitals, circuit = services.board.vitals(target.key), services.board.circuit(target.key)
    out = verdicts.get(target.key)
    return Shown(
        target=target.name,
        credential=shown_credential(target),
        role=candidate.role,
        verdict=verdict,
        reason=out.may if verdict == "out" and out is not None else each.reason,
        score=each.score,
        circuit=circuit.state,
        in_flight=vitals.in_flight,
        time_to_first_chunk=vitals.ewma or None,
        expected_cost_nano=cost_of(services, candidate, facts),
    )


def cost_of(services: "Services", candidate: Candidate, facts: Facts) -> int | None:
    """None for what has no price."""
    return None if candidate.target.price is None else round(expected_cost(services.board, candidate, facts))
