"""What a tenant used: one query over the ledger, by day, model or key.

A request belongs to the local day in which it was made, whatever its attempts took. The days are
turned into ranges of request ids, which begin with their time: no time zone arithmetic happens in
the database, a day of 23 or 25 hours is just a range, and the days of a range sum to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from common.ids import earliest_id, month_of
from tenants.door import TenantRef, tenant_scope
from tenants.models import ApiKey


class Grouping(StrEnum):
    DAY = "day"
    MODEL = "model"
    KEY = "key"


GROUPS = {
    Grouping.DAY: "local.day::text",
    Grouping.MODEL: "entry.provider || '/' || entry.model",
    Grouping.KEY: "entry.api_key_id::text",
}

# Both the policy of the role and the condition bind it to the tenant. Corrections are differences,
# so a plain sum is the truth; they are no requests of their own.
USAGE = """
SELECT GROUPING({group}) = 1 AS is_total, {group} AS label,
    count(DISTINCT entry.request_id) FILTER (WHERE entry.kind = 'settlement' AND entry.outcome <> 'not_dispatched'),
    count(DISTINCT entry.request_id) FILTER (
        WHERE entry.kind = 'settlement' AND entry.outcome <> 'not_dispatched' AND entry.price_version IS NULL),
    coalesce(sum(entry.input_tokens), 0)::bigint,
    coalesce(sum(entry.output_tokens), 0)::bigint,
    coalesce(sum(entry.cache_read_tokens), 0)::bigint,
    coalesce(sum(entry.cache_write_tokens), 0)::bigint,
    coalesce(sum(entry.reasoning_tokens), 0)::bigint,
    coalesce(sum(entry.cost_nano), 0)::bigint,
    coalesce(sum(entry.charge_nano), 0)::bigint
FROM unnest(%(days)s::date[], %(starts)s::uuid[], %(ends)s::uuid[]) AS local(day, starts, ends)
JOIN public.billing_settlement AS entry ON entry.request_id >= local.starts AND entry.request_id < local.ends
WHERE entry.tenant_id = %(tenant_id)s AND entry.month BETWEEN %(first_month)s AND %(last_month)s
GROUP BY GROUPING SETS (({group}), ())
ORDER BY is_total, label
"""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sums over settlements and their corrections. Money in nano-USD.

    `requests` counts those that reached a provider: one that failed over to another model or key
    counts for each of them, and once in a total. `unpriced_requests` have no known cost.
    """

    requests: int = 0
    unpriced_requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano: int = 0
    charge_nano: int = 0


@dataclass(frozen=True, slots=True)
class UsageRow:
    """`label` is a day (ISO), a "provider/model", or a key's id; None for calls made without a key."""

    label: str | None
    amounts: Amounts
    key_name: str | None = None


@dataclass(frozen=True, slots=True)
class UsageReport:
    rows: tuple[UsageRow, ...]
    total: Amounts


def usage(tenant: TenantRef, *, first: date, end: date, zone: ZoneInfo, group_by: Grouping) -> UsageReport:
    """Usage of the local days from `first` up to, not including, `end`.

    Every day has a row; models and keys when used.
    """
    days = list(days_between(first, end))
    starts = [earliest_id(midnight(day, zone)) for day in [*days, end]]
    parameters: dict[str, Any] = {
        "tenant_id": tenant.id,
        "days": days,
        "starts": starts[:-1],
        "ends": starts[1:],
        "first_month": month_of(starts[0]),
        "last_month": month_of(starts[-1]),
    }
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(USAGE.format(group=GROUPS[group_by]), parameters)
        found = cursor.fetchall()
        names = key_names(tenant) if group_by is Grouping.KEY else {}
    return arranged(found, days if group_by is Grouping.DAY else [], names)


def arranged(found: list[tuple[Any, ...]], days: list[date], names: dict[str, str]) -> UsageReport:
    total = next((Amounts(*sums) for is_total, _, *sums in found if is_total), Amounts())
    by_label = {label: Amounts(*sums) for is_total, label, *sums in found if not is_total}
    labels: list[str | None] = [day.isoformat() for day in days] or list(by_label)
    rows = tuple(
        UsageRow(label, by_label.get(label, Amounts()), names.get(label) if label else None) for label in labels
    )
    return UsageReport(rows=rows, total=total)


def key_names(tenant: TenantRef) -> dict[str, str]:
    return {str(key): name for key, name in ApiKey.objects.filter(tenant_id=tenant.id).values_list("id", "name")}


def days_between(first: date, end: date) -> Iterator[date]:
    return (first + timedelta(days=index) for index in range((end - first).days))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, in UTC. Where the clocks skip midnight, the moment they do."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
