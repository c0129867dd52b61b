"""Celery's door into the catalogue. The beat schedule lives with the wiring."""

import asyncio

from celery import shared_task
from django.conf import settings

from providers import health
from tenants.celery_task import TenantTask
from tenants.config_version import redis_client

SOFT_SECONDS, HARD_SECONDS = 50, 60


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
    jitter = min(health.MOST_JITTER_SECONDS, interval / 10)
    found = asyncio.run(health.look_at(health.enabled_places(), jitter=jitter))
    with redis_client().pipeline(transaction=True) as writing:
        writing.delete(health.KEY)
        for name, seen in health.encode(found).items():
            writing.hset(health.KEY, name, seen)
        writing.expire(health.KEY, max(1, round(health.TURNS_KEPT * interval)))
        writing.execute()
    return sum(each.status == "failing" for each in found.values())
