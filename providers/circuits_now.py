"""What people are shown of circuits: as Redis has them, whichever process it is that keeps them."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin
from redis.exceptions import RedisError

from providers import circuits
from providers.circuits import CircuitState
from providers.models import Provider
from tenants.config_version import redis_client


def circuits_of_providers() -> dict[tuple[str, str], CircuitState]:
    """The worst of each provider's targets, by (`circuits.owner_name`, provider's name); one that is not named has its
    circuits closed. Raises RedisError."""
    kept: Any = redis_client().hgetall(circuits.KEY)
    return circuits.worst_by_provider(circuits.decode(kept.items()), time.time())


def circuit_column() -> Callable[[Provider], str]:
    """A column for one list of the platform's providers; Redis is asked once."""

    @cache
    def known() -> dict[tuple[str, str], CircuitState] | None:
        try:
            return circuits_of_providers()
        except RedisError:
            return None

    @admin.display(description="circuits")
    def circuit(row: Provider) -> str:
        found = known()
        return "unknown" if found is None else found.get((circuits.PLATFORM, row.name), "closed").replace("_", " ")

    return circuit
