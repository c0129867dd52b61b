"""Attempts, made all at once: signed, and posted where the operator's rules let them go."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from billing.webhooks.claims import Claimed
from billing.webhooks.secrets import signatures
from providers.client.pool import Places
from providers.client.posting import Posted, post
from providers.egress.configured import resolver

DEADLINE_SECONDS: Final = 15.0
UNREADABLE: Final = Posted(duration_ms=0, error="secret_unreadable")


def send_all(attempts: Sequence[Claimed], now: datetime) -> list[Posted]:
    """What came of each, in their order, within DEADLINE_SECONDS."""
    return asyncio.run(send_together(attempts, now))


async def send_together(attempts: Sequence[Claimed], now: datetime) -> list[Posted]:
    places = resolver().places
    return await asyncio.gather(*(send(each, now, places) for each in attempts))


async def send(attempt: Claimed, now: datetime, places: Places) -> Posted:
    if not attempt.secrets:
        return UNREADABLE
    headers = {
        "content-type": "application/json",
        "user-agent": "orchestrator-webhooks",
        "webhook-id": attempt.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signatures(attempt.secrets, attempt.message_id, now, attempt.body),
    }
    return await post(attempt.url, headers, attempt.body.encode(), places, "tenant", seconds=DEADLINE_SECONDS)
