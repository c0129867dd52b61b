"""What came of an attempt: the delivery's next state, and an endpoint's end after too many failures."""

from datetime import datetime, timedelta
from typing import Final

from billing.webhooks.claims import Claimed
from billing.webhooks.event_types import DISABLED
from billing.webhooks.models import WebhookDelivery, WebhookEndpoint
from billing.webhooks.outbox import emit
from billing.webhooks.schedule import seconds_to_next
from providers.client.posting import Posted
from tenants.door import in_platform_scope

GONE: Final = 410
FAILING_FOR: Final = timedelta(days=3)


@in_platform_scope
def record(attempt: Claimed, posted: Posted, *, now: datetime, chance: float) -> None:
    """Writes it down, unless the delivery was taken or replayed anew meanwhile. `chance`: 0 to 1, for the jitter."""
    delivered = posted.status is not None and 200 <= posted.status < 300
    wait = None if delivered or attempt.is_test or posted.status == GONE else next_wait(attempt, posted, chance)
    ended = WebhookDelivery.DELIVERED if delivered else WebhookDelivery.FAILED
    WebhookDelivery.objects.filter(
        id=attempt.delivery_id,
        status=WebhookDelivery.PENDING,
        attempts=attempt.attempt,
        attempts_before=attempt.before,
    ).update(
        status=ended if wait is None else WebhookDelivery.PENDING,
        next_attempt_at=None if wait is None else now + timedelta(seconds=wait),
        response_status=posted.status,
        duration_ms=posted.duration_ms,
        error="" if delivered else posted.error or "refused",
    )
    if delivered:
        WebhookEndpoint.objects.filter(id=attempt.endpoint_id).exclude(failing_since=None).update(failing_since=None)
    else:
        note_failure(attempt, gone=posted.status == GONE, now=now)


def next_wait(attempt: Claimed, posted: Posted, chance: float) -> float | None:
    return seconds_to_next(attempt.attempt - attempt.before, chance, posted.retry_after)


def note_failure(attempt: Claimed, *, gone: bool, now: datetime) -> None:
    """An endpoint that is gone, or has failed for FAILING_FOR, is told nothing more."""
    known = WebhookEndpoint.objects.filter(id=attempt.endpoint_id, enabled=True)
    if not attempt.is_test:
        known.filter(failing_since=None).update(failing_since=now)
    if gone:
        switch_off(attempt, "gone", now)
    elif known.filter(failing_since__lte=now - FAILING_FOR).exists():
        switch_off(attempt, "failing", now)


def switch_off(attempt: Claimed, reason: str, now: datetime) -> None:
    """Once; the tenant's other webhooks are told."""
    known = WebhookEndpoint.objects.filter(id=attempt.endpoint_id, enabled=True)
    if known.update(enabled=False, disabled_at=now, disabled_reason=reason, updated_at=now):
        payload = {"id": str(attempt.endpoint_id), "url": attempt.url, "reason": reason}
        emit(tenant_id=attempt.tenant_id, event_type=DISABLED, payload=payload)
