"""The Celery application: `celery -A orchestrator_site.celery worker` (prefork) and `… beat`.

Nothing in the broker is the only record of anything: what Celery must do can be derived from PostgreSQL again.
"""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings.worker")

from celery import Celery, signals
from django.conf import settings

SECONDS_FOR_A_TASK = 300
HOUR = 3600.0


def schedule() -> dict[str, dict[str, Any]]:
    """Each entry expires before its next turn, so that a worker that was away does not work off a queue of them."""
    interval: float = settings.ENVIRONMENT.health_check_interval
    looks = {
        "how the providers are": every(interval, "providers.tasks.check_providers"),
        "how tenants' own providers are": every(10.0, "providers.tasks.check_tenant_providers"),
    }
    return {
        "reap the ledger": every(10.0, "billing.tasks.reap"),
        # Made months ahead, so that missing a run is no matter; hourly, since a restarted beat begins to count anew.
        "ledger months ahead": every(HOUR, "billing.tasks.create_partitions"),
        "rollups of the ledger": every(120.0, "billing.tasks.roll"),
        "responses that have expired": every(HOUR, "chat.tasks.purge"),
        "answers to repeated requests that have expired": every(900.0, "billing.tasks.purge_idempotency"),
        "what webhooks are owed": every(5.0, "billing.tasks.deliver_webhooks"),
        "events that were long ago": every(HOUR, "billing.tasks.purge_events"),
        "what feedback teaches": every(900.0, "chat.tasks.learn_from_feedback"),
        **(looks if interval else {}),
    }


def every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app = Celery("orchestrator", task_cls="tenants.celery_task:TenantTask")
app.conf.update(
    broker_url=settings.ENVIRONMENT.redis_url,
    result_backend=None,
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=SECONDS_FOR_A_TASK,
    task_time_limit=SECONDS_FOR_A_TASK + 30,
    task_default_queue="orchestrator",
    task_create_missing_queues=False,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=1000,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    # Longer than a task may take: or Redis would hand it to a second worker.
    broker_transport_options={"visibility_timeout": 2 * SECONDS_FOR_A_TASK, "socket_timeout": 30},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    timezone="UTC",
    enable_utc=True,
    beat_schedule=schedule(),
    # A task enqueued while Redis is away fails in a second instead of hanging its caller.
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.2, "interval_max": 0.5},
)
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Its presence keeps Celery from replacing what settings.LOGGING has set up."""
