"""From what a model's name means to the targets that a request will try."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from gateway.calls import Call, Caller
from gateway.routing.facts import Facts
from gateway.routing.plan import Plan, Planned, planned
from providers.catalogue import Candidate, Resolution
from providers.route_policy import DeadlineRule
from providers.routed import hurried

if TYPE_CHECKING:
    from gateway.services import Services


def plan_for(services: "Services", call: Call, caller: Caller, resolution: Resolution, *, input_tokens: int) -> Plan:
    """Raises Unavailable when none of a route's targets is there for this request."""
    if resolution.route is None and len(resolution.candidates) == 1:
        plan = Plan((Planned(resolution.candidates[0], "only_target"),))
    else:
        plan = planned(services.choosing, resolution, facts_of(services, call, caller, resolution, input_tokens))
    return plan if call.wishes.deadlines is None else in_time(plan, call.wishes.deadlines)


def facts_of(services: "Services", call: Call, caller: Caller, resolution: Resolution, input_tokens: int) -> Facts:
    request, wishes, route = call.request, call.wishes, resolution.route
    automatic = route is not None and route.strategy == "auto"
    return Facts(
        tenant_id=caller.config.tenant_id,
        now=services.clock.now(),
        input_tokens=input_tokens,
        max_output_tokens=request.max_output_tokens,
        session=wishes.session,
        tags=wishes.tags,
        classified=services.router.classify(request) if automatic else None,
    )


def in_time(plan: Plan, rule: DeadlineRule) -> Plan:
    """With the caller's deadlines in the place of the provider's and the route's."""

    def in_a_hurry(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
        return tuple(msgspec.structs.replace(each, target=hurried(each.target, rule)) for each in candidates)

    order = zip(in_a_hurry(each.candidate for each in plan.order), plan.order, strict=True)
    return msgspec.structs.replace(
        plan,
        order=tuple(msgspec.structs.replace(each, candidate=candidate) for candidate, each in order),
        fallbacks=in_a_hurry(plan.fallbacks),
    )
