"""A tenant's deliveries: looking at them, sending one again, trying an endpoint out."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet

from billing.webhooks.claims import claimed
from billing.webhooks.endpoints import endpoint_of
from billing.webhooks.event_types import TEST
from billing.webhooks.models import OutboxEvent, WebhookDelivery
from billing.webhooks.outcomes import record
from billing.webhooks.sending import sent
from common.errors import NotFound
from tenants.door import tenant_scope
from tenants.identity import TenantRef


def deliveries_of(tenant: TenantRef) -> QuerySet[WebhookDelivery]:
    """In the tenant's scope."""
    return WebhookDelivery.objects.filter(tenant_id=tenant.id).select_related("event")


def delivery_of(tenant: TenantRef, delivery_id: UUID) -> WebhookDelivery:
    """In the tenant's scope. Raises NotFound."""
    row = deliveries_of(tenant).filter(id=delivery_id).first()
    if row is None:
        raise NotFound("There is no such delivery.", param="delivery_id")
    return row


def replay(*, tenant: TenantRef, delivery_id: UUID, now: datetime) -> WebhookDelivery:
    """Due now, with the whole schedule before it, under the id that it always had. Raises NotFound.

    What comes of an attempt under way is no longer heard. An endpoint that is switched off gets it once it is on.
    """
    with tenant_scope(tenant):
        delivery_of(tenant, delivery_id)
        make_due(deliveries_of(tenant).filter(id=delivery_id), now)
        return delivery_of(tenant, delivery_id)


def replay_failed(*, tenant: TenantRef, endpoint_id: UUID, since: datetime, now: datetime) -> int:
    """As `replay`, of all that have failed of what was to be told since then; returns how many. Raises NotFound."""
    with tenant_scope(tenant):
        endpoint_of(tenant, endpoint_id)
        failed = deliveries_of(tenant).filter(endpoint_id=endpoint_id, status=WebhookDelivery.FAILED)
        return make_due(failed.filter(created_at__gte=since).exclude(event__type=TEST), now)


def make_due(rows: QuerySet[WebhookDelivery], now: datetime) -> int:
    return rows.update(status=WebhookDelivery.PENDING, next_attempt_at=now, attempts_before=F("attempts"))


def try_out(*, tenant: TenantRef, endpoint_id: UUID, now: datetime) -> WebhookDelivery:
    """Sends a test event to this endpoint at once, switched on or not; what came of it. It is not tried again.

    Opens its own scopes. Raises NotFound.
    """
    with tenant_scope(tenant):
        endpoint = endpoint_of(tenant, endpoint_id)
        event = OutboxEvent.objects.create(
            tenant_id=tenant.id, type=TEST, payload={"id": str(endpoint_id)}, fanned_out_at=now
        )
        row = WebhookDelivery.objects.create(
            tenant_id=tenant.id, endpoint=endpoint, event=event, attempts=1, last_attempt_at=now
        )
        attempt = claimed(row, now)
    with sent([attempt], now) as outcomes:
        record(attempt, outcomes[0], now=now, chance=0.0)
    with tenant_scope(tenant):
        return delivery_of(tenant, row.id)
