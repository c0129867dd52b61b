"""Celery's door into what is kept of conversations. The beat schedule lives with the wiring."""

from celery import shared_task

from chat.responses import purge_responses
from tenants.celery_task import TenantTask
from tenants.snapshots import list_tenants

SOFT_SECONDS, HARD_SECONDS = 240, 270


@shared_task(
    name="chat.tasks.purge",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def purge() -> int:
    """Deletes responses whose time is over, in every tenant; returns how many."""
    return sum(purge_responses(tenant=tenant) for tenant in list_tenants())
