"""How the platform's providers are: looked at by a task, remembered in Redis, shown by /health.

Redis   platform:provider-health   a hash: provider's name → JSON of ProviderHealth; gone when nobody looks any more
"""

import asyncio
import random
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from providers.client.probe import probe
from providers.egress.configured import resolver
from providers.models import Provider
from providers.scope import owner_scope
from providers.snapshots import Headers, provider_headers
from providers.wire.registry import WIRES, adapter

KEY: Final = "platform:provider-health"
AT_ONCE: Final = 10
# A look is kept for this many turns.
TURNS_KEPT: Final = 3
MOST_JITTER_SECONDS: Final = 2.0


class ProviderHealth(msgspec.Struct, frozen=True):
    """`error` is one of timeout, unreachable, credential_refused, server_error; empty for a healthy one."""

    status: Literal["healthy", "failing"]
    latency_ms: float
    checked_at: datetime
    error: str = ""


class Place(msgspec.Struct, frozen=True):
    name: str
    base_url: str
    headers: Headers


def enabled_places() -> list[Place]:
    """Where the platform's enabled providers are, with their credentials."""
    with owner_scope(None):
        rows = list(Provider.objects.filter(enabled=True, wire__in=WIRES).prefetch_related("credentials"))
    return [Place(row.name, row.base_url.rstrip("/"), provider_headers(row, adapter(row.wire), None)) for row in rows]


async def look_at(places: list[Place], *, jitter: float) -> dict[str, ProviderHealth]:
    """All of them, a few at once; each within the probe's deadline and after a moment of its own, up to `jitter`."""
    free = asyncio.Semaphore(AT_ONCE)
    leads = resolver()

    async def look(place: Place) -> tuple[str, ProviderHealth]:
        await asyncio.sleep(random.uniform(0, jitter))  # noqa: S311
        async with free:
            found = await probe(place.base_url, place.headers, leads.places, "platform")
        status: Literal["healthy", "failing"] = "failing" if found.error else "healthy"
        return place.name, ProviderHealth(status, found.latency_ms, datetime.now(UTC), found.error)

    return dict(await asyncio.gather(*map(look, places)))


def encode(found: dict[str, ProviderHealth]) -> dict[str, bytes]:
    return {name: msgspec.json.encode(each) for name, each in found.items()}


def decode(reply: list[bytes]) -> dict[str, ProviderHealth]:
    """The reply to HGETALL: names and values in turn."""
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return {name.decode(): msgspec.json.decode(value, type=ProviderHealth) for name, value in sorted(pairs)}
