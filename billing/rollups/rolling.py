"""Rolls the ledger up: what closed since the last run, and what came late, in transactions of their own.

A stretch of buckets is replaced whole, so that anything here may run again at any time.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from billing.rollups.frontier import BUCKET, EPOCH, Progress, bucket_of, closed_before, late_buckets, progress
from billing.rollups.statements import COLUMNS, OF_ALL, Piece, pieces_of
from common.ids import earliest_id, month_of
from tenants.door import platform_scope

LOCK: Final = 0x726F6C6C  # one at a time
STRETCH: Final = timedelta(hours=1)
SECONDS: Final = 15.0

# The system's time is of the transaction, before which everything it sees was begun.
START: Final = "SELECT pg_try_advisory_xact_lock(%s), now()"
WAIT: Final = "SELECT pg_advisory_xact_lock(%s)"
EARLIEST: Final = """
SELECT public.billing_made_at(least(
    (SELECT request_id FROM public.billing_settlement
     WHERE month >= %(month)s AND request_id >= %(first)s ORDER BY request_id LIMIT 1),
    (SELECT request_id FROM public.billing_decision
     WHERE month >= %(month)s AND request_id >= %(first)s ORDER BY request_id LIMIT 1)))
"""
KEEP: Final = """
INSERT INTO public.billing_rollup_progress (id, frontier, watermark) VALUES (1, %s, %s)
ON CONFLICT (id) DO UPDATE SET frontier = excluded.frontier, watermark = excluded.watermark
"""
CLEAR: Final = "DELETE FROM public.billing_rollup WHERE bucket >= %s AND bucket < %s"
FILL: Final = f"INSERT INTO public.billing_rollup ({COLUMNS}) {OF_ALL}"


@dataclass(frozen=True, slots=True)
class Rolled:
    """What one run did. `busy` when another run was under way; `behind` when there is more to do."""

    rows: int = 0
    late: int = 0
    busy: bool = False
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A stretch that was rolled up again, up to `until`, not included."""

    until: datetime
    rows: int


def roll(*, now: datetime | None = None, seconds: float = SECONDS) -> Rolled:
    """Roll up what has closed by `now` (the database's clock unless given), for about so many seconds.

    The first run begins at the ledger's first row. Safe to run at any time, any number of times.
    """
    ends_at = time.monotonic() + seconds
    done = roll_late()
    while not done.busy:
        step = roll_stretch(now)
        done = Rolled(done.rows + step.rows, done.late, step.busy, step.behind)
        if not step.behind or time.monotonic() > ends_at:
            break
    return done


def roll_late() -> Rolled:
    """What came for buckets that had been rolled up, since the last time."""
    with platform_scope(), connection.cursor() as cursor:
        cursor.execute(START, [LOCK])
        locked, database_now = cursor.fetchone()
        if not locked:
            return Rolled(busy=True)
        reached = progress(cursor)
        if reached is None:
            return Rolled()
        late = late_buckets(cursor, reached)
        rows = sum(replace(cursor, (bucket, bucket + BUCKET)) for bucket in late)
        cursor.execute(KEEP, [reached.frontier, database_now])
    return Rolled(rows, len(late))


def roll_stretch(now: datetime | None) -> Rolled:
    """What comes next behind the frontier; where nothing was asked for hours there is nothing to look for."""
    with platform_scope(), connection.cursor() as cursor:
        cursor.execute(START, [LOCK])
        locked, database_now = cursor.fetchone()
        if not locked:
            return Rolled(busy=True)
        closed = closed_before(now or database_now)
        reached = progress(cursor) or Progress(EPOCH, database_now)
        start = min(first_bucket(cursor, reached.frontier) or closed, closed)
        frontier = max(reached.frontier, min(start + STRETCH, closed))
        rows = replace(cursor, (start, frontier)) if frontier > start else 0
        cursor.execute(KEEP, [frontier, reached.watermark])
    return Rolled(rows, behind=frontier < closed)


def first_bucket(cursor: Any, since: datetime) -> datetime | None:
    """Of the first request made since then."""
    first = earliest_id(since)
    cursor.execute(EARLIEST, {"first": first, "month": month_of(first)})
    (made_at,) = cursor.fetchone()
    return None if made_at is None else bucket_of(made_at)


def rebuild(*, since: datetime, until: datetime) -> Iterator[Rebuilt]:
    """Roll up again, stretch by stretch, the buckets that touch the time from `since` to `until`.

    Those that were never rolled up are left to `roll`.
    """
    start = bucket_of(since)
    while start < until:
        with platform_scope(), connection.cursor() as cursor:
            cursor.execute(WAIT, [LOCK])
            reached = progress(cursor)
            if reached is None or start >= reached.frontier:
                return
            end = min(start + STRETCH, bucket_of(until - timedelta(microseconds=1)) + BUCKET, reached.frontier)
            rebuilt = Rebuilt(end, replace(cursor, (start, end)))
        yield rebuilt
        start = end


def replace(cursor: Any, piece: Piece) -> int:
    """Returns how many rows the stretch has now."""
    cursor.execute(CLEAR, piece)
    cursor.execute(FILL, pieces_of([piece]))
    return int(cursor.rowcount)
