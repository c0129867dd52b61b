"""Settles what dead processes left open: once, flagged as estimated, at the provider's expense and not the tenant's.

A killed attempt cost its input at least, so that is its estimated cost; its charge is nothing, since
the tenant does not pay for an answer that our crash took away. If the true settlement comes after
all, the writer adds the difference as a correction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from tenants.door import platform_scope

STALE_AFTER_SECONDS = 15.0
LOCK = 0x6C656467  # one reaper at a time

# A process gets its time anew when the database restarts: nobody could speak while it was down.
# One that was reaped is looked at for an hour more: it may have been paused, woken, and killed
# before it could say that it was alive. Those come last: a crowd of them keeps nobody waiting.
DEAD = """
SELECT id, watermark_at FROM public.billing_process
WHERE (reaped_at IS NULL OR reaped_at > %(now)s - interval '1 hour')
  AND (ended_at IS NOT NULL
       OR greatest(heartbeat_at, pg_postmaster_start_time()) < %(now)s - make_interval(secs => %(stale_after)s))
ORDER BY reaped_at NULLS FIRST, heartbeat_at
LIMIT 500
"""

# The margin is for what lies between an intent's clock and its heartbeat's.
SETTLE = """
WITH reaped AS (
    INSERT INTO public.billing_settlement (
        kind, request_id, attempt, month, tenant_id, api_key_id, user_id, provider, provider_scope, model,
        requested_model, stream, process_id, price_version, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens, cost_nano, charge_nano,
        usage_source, outcome, finish_reason, error_code, started_at, time_to_first_chunk_ms, duration_ms)
    SELECT 'settlement', request_id, attempt, month, tenant_id, api_key_id, user_id, provider, provider_scope, model,
        requested_model, stream, process_id, price_version, estimated_input_tokens, 0, 0,
        0, 0, 0, 0, estimated_cost_nano, 0,
        'estimated', 'killed', NULL, 'process_died', dispatched_at, NULL, 0
    FROM public.billing_intent AS intent
    WHERE process_id = %(process_id)s AND dispatched_at >= %(watermark_at)s - interval '5 minutes'
      AND NOT EXISTS (
          SELECT FROM public.billing_settlement AS settled
          WHERE settled.request_id = intent.request_id AND settled.attempt = intent.attempt
            AND settled.kind = 'settlement' AND settled.month = intent.month)
    ORDER BY request_id, attempt
    ON CONFLICT DO NOTHING
    RETURNING cost_nano)
SELECT count(*), coalesce(sum(cost_nano), 0)::bigint FROM reaped
"""

MARK = """
UPDATE public.billing_process
SET reaped_at = %(now)s, ended_at = coalesce(ended_at, heartbeat_at)
WHERE id = %(process_id)s AND reaped_at IS NULL
"""

FORGET = "DELETE FROM public.billing_process WHERE reaped_at < %(now)s - interval '30 days'"


@dataclass(frozen=True, slots=True)
class Reaped:
    """What one run found. `busy` when another run was under way and this one did nothing."""

    processes: int = 0
    intents: int = 0
    cost_nano: int = 0
    busy: bool = False


def reap(*, now: datetime | None = None, stale_after: float = STALE_AFTER_SECONDS) -> Reaped:
    """Settle every open intent of processes that ended, or whose heartbeat is older than `stale_after` seconds.

    `now` is the database's clock unless given. Safe to run at any time, any number of times.
    """
    with platform_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s), clock_timestamp()", [LOCK])
        locked, database_now = cursor.fetchone()
        if not locked:
            return Reaped(busy=True)
        moment = now or database_now
        cursor.execute(DEAD, {"now": moment, "stale_after": stale_after})
        dead = cursor.fetchall()
        settled = [settle_for(cursor, process_id, watermark_at, moment) for process_id, watermark_at in dead]
        cursor.execute(FORGET, {"now": moment})
    return Reaped(
        processes=len(dead),
        intents=sum(intents for intents, _ in settled),
        cost_nano=sum(cost_nano for _, cost_nano in settled),
    )


def settle_for(cursor: Any, process_id: UUID, watermark_at: datetime, now: datetime) -> tuple[int, int]:
    cursor.execute(SETTLE, {"process_id": process_id, "watermark_at": watermark_at})
    intents, cost_nano = cursor.fetchone()
    cursor.execute(MARK, {"process_id": process_id, "now": now})
    return intents, cost_nano
