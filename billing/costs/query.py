"""The one query behind every figure: rollups as far as they go, and the ledger for the rest.

A bucket is read from one of the two, in one statement, so that nothing is counted twice or missed: what the rollups
lack is behind the frontier, or in a bucket that is known to have changed (`billing.rollups.frontier`). Both the policy
of the role and the conditions bind it to the tenant.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from billing.costs.figures import ANY, CostReport, CostRow, Dimension, Figures, Only
from billing.rollups.frontier import BUCKET, bucket_of, late_buckets, progress
from billing.rollups.statements import COLUMNS, OF_TENANT, Piece, pieces_of
from tenants.door import TenantRef, tenant_scope

MODEL: Final = "coalesce(provider || '/', '') || model"
# What is grouped by are columns: a label made for every row would cost more than the sums.
LABELS: Final = {
    Dimension.MODEL: (MODEL, "provider, model"),
    Dimension.PROVIDER: ("provider", "provider"),
    Dimension.API_KEY: ("api_key_id::text", "api_key_id"),
    Dimension.USER: ("user_id::text", "user_id"),
}
CONDITIONS: Final = {
    "models": f"{MODEL} = ANY(%(models)s)",
    "providers": "provider = ANY(%(providers)s)",
    "api_keys": "api_key_id = ANY(%(api_keys)s)",
    "users": "user_id = ANY(%(users)s)",
}
FAILED: Final = "outcome IN ('failed', 'cut')"

# In the order of Figures, behind the two that count requests.
SUMS: Final = (
    "sum(attempts)",
    f"sum(attempts) FILTER (WHERE {FAILED})",
    "sum(input_tokens)",
    "sum(output_tokens)",
    "sum(cache_read_tokens)",
    "sum(cache_write_tokens)",
    "sum(reasoning_tokens)",
    "sum(cost_nano)",
    "sum(charge_nano)",
    "sum(cache_hits)",
    "sum(saved_cost_nano)",
    "sum(saved_charge_nano)",
    "sum(attempts) FILTER (WHERE outcome = 'completed')",
    "sum(duration_ms)",
    "sum(first_chunks)",
    "sum(first_chunk_ms)",
)

# Every name below is a constant of this file, so nothing from outside becomes SQL.
SOURCE: Final = f"""
SELECT {COLUMNS} FROM public.billing_rollup
WHERE tenant_id = %(tenant_id)s AND bucket >= %(since)s AND bucket < %(rolled)s AND bucket <> ALL(%(late)s)
UNION ALL
{OF_TENANT}
"""  # noqa: S608
# Requests are counted as they are in a row, and as they are in the total: those add up over all rows.
QUESTION: Final = """
SELECT place - 1, {labels} sum(requests{in_total}), sum(unpriced{in_total}),
    sum(requests{in_row}), sum(unpriced{in_row}), {sums}
FROM (
    SELECT *, width_bucket(bucket, %(edges)s::timestamptz[]) AS place FROM ({source}) AS source {condition}
) AS source
GROUP BY place {groups}
LIMIT %(most)s
"""


def costs(
    tenant: TenantRef,
    *,
    edges: Sequence[datetime],
    group_by: Sequence[Dimension] = (),
    only: Only = ANY,
    most: int | None = None,
) -> CostReport:
    """Of the requests made from the first to the last edge, by the stretches in between.

    `edges` are aware, rising, and lie on quarters of an hour: every zone's days and hours begin there. Of more than
    `most` rows any so many are found, and the total is of these.
    """
    with tenant_scope(tenant):
        return costs_in_scope(tenant, edges=edges, group_by=group_by, only=only, most=most)


def costs_in_scope(
    tenant: TenantRef,
    *,
    edges: Sequence[datetime],
    group_by: Sequence[Dimension] = (),
    only: Only = ANY,
    most: int | None = None,
) -> CostReport:
    """`costs` for whoever has opened the tenant's door already."""
    with connection.cursor() as cursor:
        rolled, late = sources(cursor, tenant, edges[0], edges[-1])
        parameters = {
            **parameters_of(tenant, edges, rolled, late),
            **{name: list(getattr(only, name)) for name in CONDITIONS},
            "most": most,
        }
        cursor.execute(statement(tuple(group_by), only), parameters)
        return arranged(cursor.fetchall(), tuple(edges), tuple(group_by))


def sources(cursor: Any, tenant: TenantRef, since: datetime, until: datetime) -> tuple[datetime, list[datetime]]:
    """Up to when rollups can be read, and the buckets before that which the ledger must answer for.

    Asked before the question itself: what is rolled up in between is in the rollups by then as well.
    """
    if any(edge != bucket_of(edge) for edge in (since, until)):
        raise ValueError("a range of costs begins and ends at a quarter of an hour")
    reached = progress(cursor)
    if reached is None:
        return since, []
    late = [each for each in late_buckets(cursor, reached, tenant_id=tenant.id) if since <= each < until]
    return max(since, min(reached.frontier, until)), late


def parameters_of(
    tenant: TenantRef, edges: Sequence[datetime], rolled: datetime, late: Sequence[datetime]
) -> dict[str, Any]:
    unrolled: list[Piece] = [(bucket, bucket + BUCKET) for bucket in late if bucket < rolled]
    if rolled < edges[-1]:
        unrolled.append((rolled, edges[-1]))
    return {
        "tenant_id": tenant.id,
        "since": edges[0],
        "rolled": rolled,
        "late": list(late),
        "edges": list(edges),
        **pieces_of(unrolled),
    }


def statement(group_by: tuple[Dimension, ...], only: Only) -> str:
    in_total = counted_for(only)
    in_row = counted_for(only, group_by)
    wanted = [condition for name, condition in CONDITIONS.items() if getattr(only, name)]
    return QUESTION.format(
        labels="".join(f"{LABELS[each][0]}, " for each in group_by),
        groups="".join(f", {LABELS[each][1]}" for each in group_by),
        in_total=in_total,
        in_row=in_row,
        sums=", ".join(SUMS),
        source=SOURCE,
        condition=f"WHERE {' AND '.join(wanted)}" if wanted else "",
    )


def counted_for(only: Only, group_by: tuple[Dimension, ...] = ()) -> str:
    """A request that asked two providers counts once where they are not told apart, and twice where they are, or where
    both were named."""
    if only.models or Dimension.MODEL in group_by:
        return "_of_model"
    return "_of_provider" if only.providers or Dimension.PROVIDER in group_by else ""


def arranged(
    found: Sequence[tuple[Any, ...]], edges: tuple[datetime, ...], group_by: tuple[Dimension, ...]
) -> CostReport:
    """What a cache answered may have the name of a model that a provider was asked for as well: one row then."""
    width = 1 + len(group_by)
    by_place: dict[tuple[Any, ...], Figures] = {}
    total = Figures()
    for row in found:
        sums = row[width + 2 :]
        by_place[row[:width]] = by_place.get(row[:width], Figures()) + figures(sums)
        total += figures((*row[width : width + 2], *sums[2:]))
    rows = [CostRow(place, tuple(labels), sums) for (place, *labels), sums in by_place.items()]
    rows.sort(key=lambda row: (row.interval, -row.figures.cost_nano, [label or "" for label in row.labels]))
    return CostReport(edges, group_by, tuple(rows), total)


def figures(sums: Sequence[Any]) -> Figures:
    return Figures(*(int(each or 0) for each in sums))
