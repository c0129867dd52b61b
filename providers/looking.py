"""Looking at providers: each of their credentials in one cheap call, a few at once."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from providers.checks import Check, CredentialCheck
from providers.client.pool import Places
from providers.client.probe import Probed, probe
from providers.egress.configured import resolver
from providers.places import Place
from providers.snapshots import Headers

AT_ONCE: Final = 20
MOST_JITTER_SECONDS: Final = 2.0
UNREADABLE: Final = Probed(0.0, "credential_unreadable")


async def look_at(places: Sequence[Place], *, jitter: float, seconds: float) -> dict[UUID, Check]:
    """By provider's id: those that were looked at within `seconds`; each after a moment of its own, up to `jitter`."""
    free, leads = asyncio.Semaphore(AT_ONCE), resolver()

    async def look(place: Place) -> Check:
        await asyncio.sleep(random.uniform(0, jitter))  # noqa: S311
        return await check(place, free, leads.places)

    tasks = {place.provider_id: asyncio.create_task(look(place)) for place in places}
    if tasks:
        _, late = await asyncio.wait(tasks.values(), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return {provider_id: task.result() for provider_id, task in tasks.items() if not task.cancelled()}


async def check(place: Place, free: asyncio.Semaphore, leads: Places) -> Check:
    async def ask(headers: Headers | None) -> Probed:
        if headers is None:
            return UNREADABLE
        async with free:
            return await probe(place.url or place.base_url, headers, leads, place.scope)

    shown = [each.headers for each in place.credentials] or [place.plain]
    probed = await asyncio.gather(*map(ask, shown))
    # One credential that works is enough for the provider to work.
    best = min(probed, key=lambda each: (bool(each.error), each.latency_ms))
    return Check(
        at=datetime.now(UTC),
        latency_ms=best.latency_ms,
        error=best.error,
        credentials=tuple(
            CredentialCheck(credential.id, each.latency_ms, each.error)
            for credential, each in zip(place.credentials, probed, strict=False)
        ),
    )
