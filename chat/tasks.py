"""Celery's door into what is kept of conversations. The beat schedule lives with the wiring."""

import structlog
from celery import shared_task
from django.db import DatabaseError

from chat.learning import learn
from chat.responses import purge_responses
from common.errors import OrchestratorError
from tenants.celery_task import TenantTask
from tenants.snapshots import list_tenants

log = structlog.get_logger(__name__)

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


@shared_task(
    name="chat.tasks.learn_from_feedback",
    base=TenantTask,
    platform=True,
    ignore_result=True,
    soft_time_limit=SOFT_SECONDS,
    time_limit=HARD_SECONDS,
)
def learn_from_feedback() -> int:
    """Teaches every tenant's routes what feedback says, whatever becomes of another's; returns how many learnt."""
    taught = 0
    for tenant in list_tenants():
        try:
            taught += learn(tenant)
        except (DatabaseError, OrchestratorError) as error:
            log.warning("feedback_not_learnt", tenant=tenant.slug, error=type(error).__name__)
    return taught
