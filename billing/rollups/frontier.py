"""How far the rollups go, and which buckets before that have changed since.

A row of the ledger says when its transaction began, and is seen when it commits: within COMMITS_WITHIN. So a row that
was not seen when the frontier passed its bucket was settled more than LATE after its request was made, and is in the
index of such rows with a time after `watermark - COMMITS_WITHIN`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

BUCKET: Final = timedelta(minutes=15)
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATE: Final = timedelta(minutes=10)
COMMITS_WITHIN: Final = timedelta(minutes=5)

PROGRESS: Final = "SELECT frontier, watermark FROM public.billing_rollup_progress"

# Its conditions are those of the partial indexes, word for word.
LATE_BUCKETS: Final = """
SELECT DISTINCT date_bin('15 minutes', made_at, '2000-01-01T00:00:00Z'::timestamptz) AS bucket FROM (
    SELECT public.billing_made_at(request_id) AS made_at FROM public.billing_settlement
    WHERE settled_at - public.billing_made_at(request_id) > interval '10 minutes'
        AND settled_at > %(after)s AND (%(tenant_id)s::uuid IS NULL OR tenant_id = %(tenant_id)s)
    UNION ALL
    SELECT public.billing_made_at(request_id) FROM public.billing_decision
    WHERE outcome = 'cached' AND recorded_at - public.billing_made_at(request_id) > interval '10 minutes'
        AND recorded_at > %(after)s AND (%(tenant_id)s::uuid IS NULL OR tenant_id = %(tenant_id)s)
) AS late
WHERE made_at < %(frontier)s
ORDER BY bucket
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Buckets before `frontier` are rolled up, but for rows that became visible after `watermark`."""

    frontier: datetime
    watermark: datetime


def bucket_of(moment: datetime) -> datetime:
    """When the bucket that holds the moment begins."""
    return moment - (moment - EPOCH) % BUCKET


def closed_before(now: datetime) -> datetime:
    """Every request made before this has settled, or will be found late."""
    return bucket_of(now - LATE - COMMITS_WITHIN)


def progress(cursor: Any) -> Progress | None:
    """None before the first roll."""
    cursor.execute(PROGRESS)
    found = cursor.fetchone()
    return None if found is None else Progress(*found)


def late_buckets(cursor: Any, reached: Progress, *, tenant_id: Any = None) -> list[datetime]:
    """Buckets before the frontier that may have rows which their rollups lack; of one tenant, or of any."""
    cursor.execute(
        LATE_BUCKETS,
        {"after": reached.watermark - COMMITS_WITHIN, "frontier": reached.frontier, "tenant_id": tenant_id},
    )
    return [bucket for (bucket,) in cursor.fetchall()]
