"""What a tenant's feedback teaches its own routes with the strategy "auto".

Everything is reckoned anew from the newest feedback, so that running it again changes nothing. A platform's route is
taught nothing: what one tenant says of it would hold for all.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID

from billing.models import Decision
from chat.models import Feedback
from common.ids import earliest_id, month_of
from gateway.routing.auto.learning import Sample, learned_from
from providers.actions.routes import learn_route
from providers.models import Route
from providers.route_policy import Tier
from tenants.door import tenant_scope
from tenants.identity import TenantRef

LEARNT_FROM: Final = timedelta(days=90)
MOST_OPINIONS: Final = 20_000
AT_ONCE: Final = 1_000
# A smaller change is not worth that every process loads the configuration again.
PLACES: Final = 2
TIERS: Final = frozenset(get_args(Tier))


def learn(tenant: TenantRef, *, most: int = MOST_OPINIONS) -> int:
    """How many routes were taught something new, by the newest `most` opinions of the last 90 days."""
    with tenant_scope(tenant):
        routes = {row.name: row for row in Route.objects.filter(strategy="auto")}
        samples = samples_of(tenant, routes.keys(), most) if routes else {}
    taught = 0
    for name, row in routes.items():
        learned = {tier: round(tilt, PLACES) for tier, tilt in learned_from(samples.get(name, ())).items()}
        if learned != row.learned:
            learn_route(owner=tenant, route_id=row.id, learned=learned)
            taught += 1
    return taught


def samples_of(tenant: TenantRef, routes: Collection[str], most: int) -> dict[str, list[Sample]]:
    """By route, in the scope of the tenant."""
    found: dict[str, list[Sample]] = {}
    since = earliest_id(datetime.now(UTC) - LEARNT_FROM)
    opinions = list(Feedback.objects.filter(id__gte=since).order_by("-id")[:most])
    for start in range(0, len(opinions), AT_ONCE):
        some = opinions[start : start + AT_ONCE]
        treated = tiers_of(tenant, [each.request_id for each in some], routes)
        for each in some:
            if each.request_id in treated:
                route, tier = treated[each.request_id]
                found.setdefault(route, []).append(Sample(tier, rating_of(each), each.regenerated))
    return found


def tiers_of(tenant: TenantRef, request_ids: Sequence[UUID], routes: Collection[str]) -> dict[UUID, tuple[str, Tier]]:
    """Route and tier of those requests that were led by one of the routes and sorted into a tier."""
    decided = Decision.objects.filter(
        tenant_id=tenant.id,
        request_id__in=request_ids,
        month__in={month_of(each) for each in request_ids},
        strategy="auto",
        route__in=routes,
    )
    rows: Iterable[tuple[UUID, Any, Any]] = decided.values_list("request_id", "route", "auto__tier")
    return {request_id: (route, tier) for request_id, route, tier in rows if tier in TIERS}


def rating_of(opinion: Feedback) -> float:
    """A score, from 0 to 1, speaks where there are no thumbs."""
    if opinion.rating or opinion.score is None:
        return float(opinion.rating)
    return 2 * opinion.score - 1
