"""What a tenant used, by day, model or key: figures of `billing.costs`, as `/v1/usage` shows them.

A request belongs to the local day in which it was made, whatever its attempts took.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from billing.costs.figures import CostReport, Dimension, Figures
from billing.costs.intervals import days_between, midnight
from billing.costs.query import costs
from tenants.door import TenantRef, tenant_scope
from tenants.models import ApiKey


class Grouping(StrEnum):
    DAY = "day"
    MODEL = "model"
    KEY = "key"


DIMENSIONS = {Grouping.MODEL: Dimension.MODEL, Grouping.KEY: Dimension.API_KEY}


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
    if group_by is Grouping.DAY:
        days = list(days_between(first, end))
        report = costs(tenant, edges=[midnight(day, zone) for day in [*days, end]])
        return UsageReport(rows_of_days(report, days), amounts(report.total))
    report = costs(tenant, edges=[midnight(first, zone), midnight(end, zone)], group_by=[DIMENSIONS[group_by]])
    names = key_names(tenant) if group_by is Grouping.KEY else {}
    return UsageReport(rows_of_labels(report, names), amounts(report.total))


def rows_of_days(report: CostReport, days: list[date]) -> tuple[UsageRow, ...]:
    found = {row.interval: row.figures for row in report.rows}
    return tuple(UsageRow(day.isoformat(), amounts(found.get(index, Figures()))) for index, day in enumerate(days))


def rows_of_labels(report: CostReport, names: dict[str, str]) -> tuple[UsageRow, ...]:
    """By label, what has none last; without those that the cache alone answered for."""
    rows = [
        UsageRow(label, amounts(row.figures), names.get(label) if label else None)
        for row in report.rows
        for label in row.labels
        if row.figures.attempts or not row.figures.cache_hits
    ]
    return tuple(sorted(rows, key=lambda row: (row.label is None, row.label)))


def amounts(figures: Figures) -> Amounts:
    return Amounts(
        requests=figures.requests,
        unpriced_requests=figures.unpriced_requests,
        input_tokens=figures.input_tokens,
        output_tokens=figures.output_tokens,
        cache_read_tokens=figures.cache_read_tokens,
        cache_write_tokens=figures.cache_write_tokens,
        reasoning_tokens=figures.reasoning_tokens,
        cost_nano=figures.cost_nano,
        charge_nano=figures.charge_nano,
    )


def key_names(tenant: TenantRef) -> dict[str, str]:
    with tenant_scope(tenant):
        rows = ApiKey.objects.filter(tenant_id=tenant.id).values_list("id", "name")
        return {str(key): name for key, name in rows}
