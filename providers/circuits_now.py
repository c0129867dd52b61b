"""What people are shown of circuits: as Redis has them, whichever process it is that keeps them."""

import time
from typing import Any

from providers import circuits
from providers.circuits import CircuitState
from tenants.config_version import redis_client


def circuits_of_providers() -> dict[tuple[str, str], CircuitState]:
    """The worst of each provider's targets, by (`circuits.owner_name`, provider's name); one that is not named has its
    circuits closed. Raises RedisError."""
    kept: Any = redis_client().hgetall(circuits.KEY)
    return circuits.worst_by_provider(circuits.decode(kept.items()), time.time())
