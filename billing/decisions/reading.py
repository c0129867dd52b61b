"""Records as they were written, with what the ledger says of the same requests.

Both the policy of the role and the conditions bind what is found to the tenant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Sum

from billing.models import Decision, Intent, Settlement
from common.ids import earliest_id, month_of
from tenants.door import TenantRef, tenant_scope


@dataclass(frozen=True, slots=True)
class Trace:
    """All that is known of one request. Without a `decision` it is under way, or its process died.

    `intents` are ordered by attempt, `entries` as well, a correction after the settlement that it corrects.
    """

    request_id: UUID
    decision: Decision | None
    intents: tuple[Intent, ...]
    entries: tuple[Settlement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records: those of requests made from `since` up to, not including, `until`, and before `after` was made.

    None is any.
    """

    since: datetime
    until: datetime
    limit: int
    after: UUID | None = None
    model: str | None = None
    route: str | None = None
    outcome: str | None = None
    api_key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records, the newest first; `charged` and `cost` in nano-USD by request, where anything was dispatched."""

    decisions: tuple[Decision, ...]
    cost: dict[UUID, int]
    charged: dict[UUID, int]
    has_more: bool


def find(tenant: TenantRef, request_id: UUID, *, made_with: UUID | None) -> Trace | None:
    """`request_id` is a UUIDv7. With `made_with`, the id of a key, only if the request was made with it."""
    mine: dict[str, Any] = {"tenant_id": tenant.id, "request_id": request_id, "month": month_of(request_id)}
    if made_with is not None:
        mine["api_key_id"] = made_with
    with tenant_scope(tenant):
        decision = Decision.objects.filter(**mine).first()
        intents = tuple(Intent.objects.filter(**mine).order_by("attempt"))
        entries = tuple(Settlement.objects.filter(**mine).order_by("attempt", "-kind"))
    if decision is None and not intents:
        return None
    return Trace(request_id, decision, intents, entries)


def page(tenant: TenantRef, wanted: Wanted, *, made_with: UUID | None) -> Page:
    """`made_with` as in `find`."""
    first, end = earliest_id(wanted.since), earliest_id(wanted.until)
    if wanted.after is not None:
        end = min(end, wanted.after)
    conditions: dict[str, Any] = {
        "request_id__gte": first,
        "request_id__lt": end,
        "month__range": (month_of(first), month_of(end)),
        **asked(wanted),
    }
    with tenant_scope(tenant):
        rows = Decision.objects.filter(tenant_id=tenant.id, **conditions)
        if made_with is not None:
            rows = rows.filter(api_key_id=made_with)
        found = tuple(rows.order_by("-request_id")[: wanted.limit + 1])
        shown = found[: wanted.limit]
        money = sums(tenant, shown)
    cost = {request_id: spent for request_id, spent, _ in money}
    charged = {request_id: taken for request_id, _, taken in money}
    return Page(shown, cost, charged, has_more=len(found) > wanted.limit)


def asked(wanted: Wanted) -> dict[str, Any]:
    names = {
        "requested_model": wanted.model,
        "route": wanted.route,
        "outcome": wanted.outcome,
        "api_key_id": wanted.api_key_id,
    }
    return {name: value for name, value in names.items() if value is not None}


def sums(tenant: TenantRef, decisions: Sequence[Decision]) -> list[tuple[UUID, int, int]]:
    """Request, cost and charge; corrections are differences, so a plain sum is the truth."""
    entries = Settlement.objects.filter(
        tenant_id=tenant.id,
        request_id__in=[each.request_id for each in decisions],
        month__in={each.month for each in decisions},
    )
    grouped = entries.order_by().values("request_id").annotate(cost=Sum("cost_nano"), charged=Sum("charge_nano"))
    return [(row["request_id"], row["cost"], row["charged"]) for row in grouped]
