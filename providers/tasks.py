"""Celery's door into the catalogue. The beat schedule lives with the wiring."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from celery import shared_task
from django.conf import settings

from providers import checks, due, health, looking
from providers.models import Provider
from providers.places import Place, places_of
from tenants.celery_task import TenantTask
from tenants.config_version import redis_client
from tenants.door import tenant_scope
from tenants.identity import TenantRef

SOFT_SECONDS, HARD_SECONDS = 50, 60
SECONDS_TO_LOOK: Final = 35.0
MOST_A_TURN: Final = 200


@shared_task(
    name="providers.tasks.check_providers",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def check_providers() -> int:
    """Looks at each enabled platform provider and keeps what it found in Redis; returns how many fail."""
    interval: float = settings.ENVIRONMENT.health_check_interval
    jitter = min(looking.MOST_JITTER_SECONDS, interval / 10)
    places = health.enabled_places()
    found = asyncio.run(looking.look_at(places, jitter=jitter, seconds=SECONDS_TO_LOOK))
    checks.keep(None, found)
    latest = {place.name: found[place.provider_id] for place in places if place.provider_id in found}
    with redis_client().pipeline(transaction=True) as writing:
        writing.delete(health.KEY)
        for name, seen in health.encode(latest).items():
            writing.hset(health.KEY, name, seen)
        writing.expire(health.KEY, max(1, round(checks.INTERVALS_BELIEVED * interval)))
        writing.execute()
    return sum(bool(each.error) for each in found.values())


@shared_task(
    name="providers.tasks.check_tenant_providers",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def check_tenant_providers(*, jitter: float = looking.MOST_JITTER_SECONDS) -> int:
    """Looks at the tenants' own providers whose time has come, at most MOST_A_TURN; returns how many it looked at.

    What there was no time for is due again once it counts as left (`due.SECONDS_TAKEN`).
    """
    due.sweep(time.time())
    taken = due.take(time.time(), MOST_A_TURN)
    tenants = due.tenants_of(tenant_id for tenant_id, _ in taken)
    places = {
        tenant: own_places(tenant, [provider_id for owner, provider_id in taken if owner == tenant_id])
        for tenant_id, tenant in tenants.items()
    }
    every = [place for found in places.values() for place in found]
    seen = asyncio.run(looking.look_at(every, jitter=jitter, seconds=SECONDS_TO_LOOK))
    next_looks = {}
    for tenant, found in places.items():
        looked_at = [place for place in found if place.provider_id in seen]
        checks.keep(tenant, {place.provider_id: seen[place.provider_id] for place in looked_at})
        next_looks.update({(tenant.id, place.provider_id): place.interval for place in looked_at})
    there = {(tenant.id, place.provider_id) for tenant, found in places.items() for place in found}
    due.plan(time.time(), next_looks, gone=set(taken) - there)
    return len(next_looks)


def own_places(tenant: TenantRef, wanted: Iterable[UUID]) -> list[Place]:
    """Of the wanted providers those that are there and switched on."""
    with tenant_scope(tenant):
        rows = list(Provider.objects.filter(id__in=list(wanted), enabled=True).prefetch_related("credentials"))
    return places_of(rows, tenant)
