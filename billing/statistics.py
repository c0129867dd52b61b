"""How a tenant's providers and models did: one query over the ledger, by provider or by model.

Requests are found by the time in their ids, as in `billing.reports`, so that one index range is read in each month.
What succeeds or fails is an attempt: a request that was made again, or went on to another provider, shows each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from common.ids import earliest_id, month_of
from tenants.door import TenantRef, tenant_scope


class Subject(StrEnum):
    PROVIDER = "provider"
    MODEL = "model"


MODEL: Final = {Subject.PROVIDER: "NULL::text", Subject.MODEL: "model"}
POINTS: Final = (0.5, 0.95, 0.99)

# A process that was killed and a caller who hung up say nothing of the provider: such attempts are neither successes
# nor errors. Corrections are differences, so they count in sums alone. An answer in one piece has no first chunk.
STATISTICS = """
WITH entry AS (
    SELECT *, {model} AS subject, kind = 'settlement' AND outcome <> 'not_dispatched' AS sent,
        kind = 'settlement' AND outcome = 'completed' AS well
    FROM public.billing_settlement
    WHERE tenant_id = %(tenant_id)s AND request_id >= %(first)s AND request_id < %(end)s
        AND month BETWEEN %(first_month)s AND %(last_month)s
)
SELECT GROUPING(provider) = 1 AS is_total, provider, provider_scope, subject,
    count(DISTINCT request_id) FILTER (WHERE sent),
    count(*) FILTER (WHERE sent),
    count(*) FILTER (WHERE well),
    count(*) FILTER (WHERE sent AND outcome IN ('failed', 'cut')),
    avg(duration_ms) FILTER (WHERE well)::float8,
    percentile_disc(%(points)s::float8[]) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE well),
    avg(time_to_first_chunk_ms) FILTER (WHERE well AND stream)::float8,
    percentile_disc(%(points)s::float8[]) WITHIN GROUP (ORDER BY time_to_first_chunk_ms) FILTER (WHERE well AND stream),
    coalesce(sum(duration_ms) FILTER (WHERE well), 0)::bigint,
    coalesce(sum(output_tokens) FILTER (WHERE well), 0)::bigint,
    coalesce(sum(input_tokens), 0)::bigint,
    coalesce(sum(output_tokens), 0)::bigint,
    coalesce(sum(cost_nano), 0)::bigint,
    coalesce(sum(charge_nano), 0)::bigint
FROM entry
GROUP BY GROUPING SETS ((provider, provider_scope, subject), ())
ORDER BY is_total, provider COLLATE "C", provider_scope, subject COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds of many observations; the percentiles are observed values (nearest rank), None without any."""

    average: float | None = None
    p50: int | None = None
    p95: int | None = None
    p99: int | None = None


@dataclass(frozen=True, slots=True)
class Performance:
    """`requests` counts those that reached a provider, `attempts` how often one was asked for them.

    `latency` and `first_chunk` are of the attempts that succeeded, `first_chunk` of streams alone. `busy_ms` is what
    the successful attempts took one after another, `generated` their output tokens. Money in nano-USD.
    """

    requests: int = 0
    attempts: int = 0
    successes: int = 0
    errors: int = 0
    latency: Spread = Spread()
    first_chunk: Spread = Spread()
    busy_ms: int = 0
    generated: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano: int = 0
    charge_nano: int = 0

    @property
    def error_rate(self) -> float | None:
        """Of the attempts that succeeded or failed; None where none did."""
        decided = self.successes + self.errors
        return self.errors / decided if decided else None


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """`scope` is "platform" or "tenant"; `model` is the provider's own name of it, None by provider."""

    provider: str
    scope: str
    model: str | None
    performance: Performance


@dataclass(frozen=True, slots=True)
class Statistics:
    """`total` is of all rows together; a request that more than one row counts is one there."""

    rows: tuple[SubjectRow, ...]
    total: Performance


def statistics(tenant: TenantRef, *, since: datetime, until: datetime, group_by: Subject) -> Statistics:
    """Of the requests made from `since` up to, not including, `until`; both aware. Sorted by provider and model."""
    first, end = earliest_id(since), earliest_id(until)
    parameters: dict[str, Any] = {
        "tenant_id": tenant.id,
        "first": first,
        "end": end,
        "first_month": month_of(first),
        "last_month": month_of(end),
        "points": list(POINTS),
    }
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(STATISTICS.format(model=MODEL[group_by]), parameters)
        return arranged(cursor.fetchall())


def arranged(found: Sequence[tuple[Any, ...]]) -> Statistics:
    rows = tuple(
        SubjectRow(provider, scope, model, performance(figures))
        for is_total, provider, scope, model, *figures in found
        if not is_total
    )
    total = next((performance(figures) for is_total, _, _, _, *figures in found if is_total), Performance())
    return Statistics(rows, total)


def performance(figures: Sequence[Any]) -> Performance:
    requests, attempts, successes, errors, *spreads = figures[:8]
    latency, first_chunk = spread(*spreads[:2]), spread(*spreads[2:])
    return Performance(requests, attempts, successes, errors, latency, first_chunk, *figures[8:])


def spread(average: float | None, points: Sequence[int] | None) -> Spread:
    return Spread(average, *(points or ()))
