"""How the platform's providers are: looked at by a task, remembered in Redis, shown by /health.

Redis   platform:provider-health   a hash: provider's name → JSON of ProviderHealth; gone when nobody looks any more
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from providers.checks import Check
from providers.models import Provider
from providers.places import Place, places_of
from providers.scope import owner_scope

KEY: Final = "platform:provider-health"


class ProviderHealth(msgspec.Struct, frozen=True):
    """`error` as in `providers.checks.Check`; empty for a healthy one."""

    status: Literal["healthy", "failing"]
    latency_ms: float
    checked_at: datetime
    error: str = ""


def enabled_places() -> list[Place]:
    """Where the platform's enabled providers are, with their credentials."""
    with owner_scope(None):
        rows = list(Provider.objects.filter(enabled=True).prefetch_related("credentials"))
    return places_of(rows, None)


def encode(found: Mapping[str, Check]) -> dict[str, bytes]:
    return {name: msgspec.json.encode(health_of(check)) for name, check in found.items()}


def health_of(check: Check) -> ProviderHealth:
    return ProviderHealth("failing" if check.error else "healthy", check.latency_ms, check.at, check.error)


def decode(reply: list[bytes]) -> dict[str, ProviderHealth]:
    """The reply to HGETALL: names and values in turn."""
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return {name.decode(): msgspec.json.decode(value, type=ProviderHealth) for name, value in sorted(pairs)}
