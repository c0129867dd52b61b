"""Celery's doors into the ledger. The beat schedule lives with the wiring."""

from datetime import UTC, datetime

from celery import shared_task

from billing.idempotency import store
from billing.ledger import partitions, reaper
from billing.rollups import rolling
from billing.webhooks import purging, turns
from tenants.celery_task import TenantTask

# Celery refuses to enqueue a task whose soft limit (the application's, unless it has its own) is above its hard one.
SOFT_SECONDS, HARD_SECONDS = 50, 60


@shared_task(
    name="billing.tasks.reap",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def reap() -> int:
    """Settle what dead processes left open; returns how many attempts."""
    return reaper.reap().intents


@shared_task(
    name="billing.tasks.create_partitions",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def create_partitions() -> int:
    """Make the ledger's months ahead; returns how many tables were missing."""
    return partitions.create_partitions(today=datetime.now(UTC).date())


@shared_task(
    name="billing.tasks.roll",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def roll() -> int:
    """Sum what the ledger has closed; returns how many rows were written. What is left is the next run's."""
    return rolling.roll().rows


@shared_task(
    name="billing.tasks.purge_idempotency",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def purge_idempotency() -> int:
    """Delete answers to repeated requests whose day is over; returns how many."""
    purged = 0
    while deleted := store.purge():
        purged += deleted
    return purged


@shared_task(
    name="billing.tasks.deliver_webhooks",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def deliver_webhooks() -> int:
    """Send what is due to webhooks; returns how many attempts were made."""
    return turns.take_turn()


@shared_task(
    name="billing.tasks.purge_events",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def purge_events() -> int:
    """Delete old events with their deliveries; returns how many."""
    return purging.purge(datetime.now(UTC))
