"""Which tenants' providers are to be looked at next. Derived from PostgreSQL again and again, so Redis may forget it.

Redis   platform:checks-due     a sorted set: "<tenant, hex>:<provider, hex>" by the time of its next look
        platform:checks-sweep   how far the reading of the tenants has come, as a tenant's id
"""

import random
import time
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from providers.models import Provider
from providers.scope import Owner
from tenants.config_version import redis_client
from tenants.door import in_platform_scope, tenant_scope
from tenants.identity import TenantRef
from tenants.models import Tenant
from tenants.states import TenantState

DUE: Final = "platform:checks-due"
SWEEP: Final = "platform:checks-sweep"
TENANTS_A_TURN: Final = 100
# A worker that dies leaves what it took; it is due again by then.
SECONDS_TAKEN: Final = 120
SPREAD: Final = 0.1
# Whoever adds a provider waits to see it work; many that are added at once are not looked at all at once.
SECONDS_TO_FIRST_LOOK: Final = 10.0
FIRST: Final = UUID(int=0)

# Two workers never take the same.
TAKE = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], 'XX', ARGV[3], member) end
return due
"""

Member = tuple[UUID, UUID]


def sweep(now: float) -> int:
    """Reads the providers of the next tenants, and has new ones looked at within their interval; how many tenants.

    Times are in Unix seconds.
    """
    client = redis_client()
    kept = client.get(SWEEP)
    after = UUID(kept.decode()) if isinstance(kept, bytes) else FIRST
    tenants = next_tenants(after)
    new = {
        name_of(tenant.id, provider_id): now + random.uniform(0, interval)  # noqa: S311
        for tenant in tenants
        for provider_id, interval in intervals(tenant)
    }
    with client.pipeline(transaction=False) as writing:
        if new:
            writing.zadd(DUE, new, nx=True)
        writing.set(SWEEP, str(tenants[-1].id if len(tenants) == TENANTS_A_TURN else FIRST))
        writing.execute()
    return len(tenants)


def look_soon(*, owner: Owner, provider_id: UUID, **_: Any) -> None:
    """Receives `providers.signals.provider_created`. Raises RedisError: then the sweep finds the provider."""
    if owner is not None:
        at = time.time() + random.uniform(0, SECONDS_TO_FIRST_LOOK)  # noqa: S311
        redis_client().zadd(DUE, {name_of(owner.id, provider_id): at}, nx=True)


@in_platform_scope
def next_tenants(after: UUID) -> list[TenantRef]:
    rows = Tenant.objects.filter(id__gt=after).exclude(state=TenantState.SUSPENDED).order_by("id")
    return [row.ref for row in rows[:TENANTS_A_TURN]]


@in_platform_scope
def tenants_of(ids: Iterable[UUID]) -> dict[UUID, TenantRef]:
    """Those that are there and not suspended."""
    rows = Tenant.objects.filter(id__in=set(ids)).exclude(state=TenantState.SUSPENDED)
    return {row.id: row.ref for row in rows}


def intervals(tenant: TenantRef) -> list[tuple[UUID, int]]:
    with tenant_scope(tenant):
        return list(Provider.objects.filter(enabled=True).values_list("id", "health_interval_seconds"))


def take(now: float, most: int) -> list[Member]:
    """(tenant, provider) of those whose time has come, the longest overdue first; they are the caller's to look at."""
    found = redis_client().eval(TAKE, 1, DUE, str(now), str(most), str(now + SECONDS_TAKEN))
    assert isinstance(found, list)  # noqa: S101 the script's own answer
    return [member_of(each.decode()) for each in found]


def plan(now: float, intervals_of: dict[Member, int], gone: Iterable[Member]) -> None:
    """The next looks, each a little before or after its interval is over, so that no crowd forms."""
    with redis_client().pipeline(transaction=False) as writing:
        for (tenant_id, provider_id), interval in intervals_of.items():
            at = now + interval * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311
            writing.zadd(DUE, {name_of(tenant_id, provider_id): at}, xx=True)
        for tenant_id, provider_id in gone:
            writing.zrem(DUE, name_of(tenant_id, provider_id))
        writing.execute()


def name_of(tenant_id: UUID, provider_id: UUID) -> str:
    return f"{tenant_id.hex}:{provider_id.hex}"


def member_of(name: str) -> Member:
    tenant, _, provider = name.partition(":")
    return UUID(tenant), UUID(provider)
