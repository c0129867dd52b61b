"""Attempts, made all at once: signed, and posted where the operator's rules let them go."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from billing.webhooks.claims import Claimed
from billing.webhooks.secrets import signatures
from providers.client.pool import Places
from providers.client.posting import Posted, post
from providers.egress.configured import resolver

DEADLINE_SECONDS: Final = 15.0
UNREADABLE: Final = Posted(duration_ms=0, error="secret_unreadable")


@contextmanager
def sent(attempts: Sequence[Claimed], now: datetime) -> Iterator[list[Posted]]:
    """What came of each, in their order, within DEADLINE_SECONDS.

    To be written down inside: leaving waits for name services that are still silent, however long they are.
    """
    with asyncio.Runner() as runner:
        yield runner.run(send_together(attempts, now))


async def send_together(attempts: Sequence[Claimed], now: datetime) -> list[Posted]:
    # A thread for each name, so that one whose name service is silent keeps no other waiting.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max(1, len(attempts))))
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
