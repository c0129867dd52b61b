"""A process says that it lives, and from when on its intents may still be open."""

import os
import socket
from datetime import datetime
from uuid import UUID

from billing.ledger.connection import LedgerConnection

INTERVAL_SECONDS = 2.0

# A process that was taken for dead and speaks again is alive: it will be reaped anew when it ends.
BEAT = b"""
INSERT INTO public.billing_process (id, kind, host, pid, started_at, heartbeat_at, watermark_at)
VALUES ($1, $2, $3, $4, now(), now(), $5)
ON CONFLICT (id) DO UPDATE
SET heartbeat_at = now(), watermark_at = excluded.watermark_at, ended_at = NULL, reaped_at = NULL
"""
END = b"UPDATE public.billing_process SET heartbeat_at = now(), ended_at = now(), watermark_at = $2 WHERE id = $1"


async def beat(connection: LedgerConnection, *, process_id: UUID, kind: str, watermark_at: datetime) -> None:
    """Raises ConnectionLost."""
    await connection.execute(BEAT, [process_id, kind, socket.gethostname(), os.getpid(), watermark_at])


async def end(connection: LedgerConnection, *, process_id: UUID, watermark_at: datetime) -> None:
    """The process says goodbye; what it left open may be settled for it at once. Raises ConnectionLost."""
    await connection.execute(END, [process_id, watermark_at])
