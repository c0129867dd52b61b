"""Proves the promise: every dispatched attempt has exactly one settlement in force."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from billing.ledger.reaper import STALE_AFTER_SECONDS
from common.ids import earliest_id, month_of
from tenants.door import platform_scope

COUNT = """
WITH since AS (SELECT %(earliest)s::uuid AS request_id, %(month)s::date AS month),
intents AS (
    SELECT intent.* FROM public.billing_intent AS intent, since
    WHERE intent.month >= since.month AND intent.request_id >= since.request_id),
entries AS (
    SELECT entry.* FROM public.billing_settlement AS entry, since
    WHERE entry.month >= since.month AND entry.request_id >= since.request_id),
attempts AS (
    SELECT request_id, attempt,
        count(*) FILTER (WHERE kind = 'settlement') AS settlements,
        count(*) FILTER (WHERE kind = 'correction') AS corrections,
        bool_or(kind = 'settlement' AND outcome = 'killed') AS killed,
        bool_or(kind = 'settlement' AND outcome = 'not_dispatched') AS not_dispatched,
        bool_or(kind = 'settlement' AND outcome = 'killed' AND charge_nano <> 0) AS charged_though_killed,
        least(sum(input_tokens), sum(output_tokens), sum(cost_nano), sum(charge_nano)) < 0 AS below_zero
    FROM entries GROUP BY request_id, attempt),
pairs AS (
    SELECT intents.request_id IS NOT NULL AS has_intent, intents.process_id, attempts.*
    FROM intents FULL JOIN attempts USING (request_id, attempt)),
living AS (
    SELECT id FROM public.billing_process
    WHERE ended_at IS NULL AND heartbeat_at >= now() - make_interval(secs => %(stale_after)s))
SELECT
    count(*) FILTER (WHERE has_intent),
    count(*) FILTER (WHERE settlements = 1),
    count(*) FILTER (WHERE killed),
    count(*) FILTER (WHERE corrections > 0),
    count(*) FILTER (WHERE not_dispatched),
    count(*) FILTER (WHERE has_intent AND settlements IS NULL AND process_id IN (SELECT id FROM living)),
    count(*) FILTER (WHERE has_intent AND coalesce(settlements, 0) = 0
                     AND process_id NOT IN (SELECT id FROM living)),
    count(*) FILTER (WHERE settlements > 1),
    count(*) FILTER (WHERE NOT has_intent AND NOT not_dispatched),
    count(*) FILTER (WHERE corrections > 1 OR (corrections = 1 AND NOT coalesce(killed, false))),
    count(*) FILTER (WHERE charged_though_killed),
    count(*) FILTER (WHERE below_zero)
FROM pairs
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of attempts. The first six are facts, the others violations.

    `under_way` are open intents of processes that live. `lost` are open and nobody will settle them.
    """

    intents: int
    settled: int
    killed: int
    corrected: int
    not_dispatched: int
    under_way: int
    lost: int
    doubled: int
    without_intent: int
    stray_corrections: int
    charged_though_killed: int
    below_zero: int

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return not (
            self.lost
            or self.doubled
            or self.without_intent
            or self.stray_corrections
            or self.charged_though_killed
            or self.below_zero
        )


def verify(*, since: datetime, stale_after: float = STALE_AFTER_SECONDS) -> Verdict:
    """Count every attempt whose request was made at `since` or later. One snapshot of the ledger."""
    earliest = earliest_id(since)
    with platform_scope(), connection.cursor() as cursor:
        cursor.execute(COUNT, {"earliest": earliest, "month": month_of(earliest), "stale_after": stale_after})
        return Verdict(*cursor.fetchone())
