"""From events to deliveries: one for each endpoint of the tenant that is switched on and wants to be told."""

from collections import defaultdict
from datetime import datetime
from typing import Final
from uuid import UUID

from billing.webhooks.event_types import DISABLED, wants
from billing.webhooks.models import OutboxEvent, WebhookDelivery, WebhookEndpoint
from tenants.door import in_platform_scope

BATCH: Final = 500


@in_platform_scope
def fan_out(now: datetime) -> int:
    """Of at most BATCH events, the oldest first; returns how many. Events that another worker has are left to it."""
    waiting = OutboxEvent.objects.filter(fanned_out_at=None).order_by("id")
    events = list(waiting.select_for_update(skip_locked=True)[:BATCH])
    endpoints = endpoints_of({event.tenant_id for event in events})
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(tenant_id=event.tenant_id, endpoint=endpoint, event=event, next_attempt_at=now)
        for event in events
        for endpoint in endpoints[event.tenant_id]
        if wants(endpoint.event_types, event.type) and not about_itself(event, endpoint)
    )
    OutboxEvent.objects.filter(id__in=[event.id for event in events]).update(fanned_out_at=now)
    return len(events)


def about_itself(event: OutboxEvent, endpoint: WebhookEndpoint) -> bool:
    """Who was switched off, and on again since, need not be told."""
    return event.type == DISABLED and event.payload["id"] == str(endpoint.id)


def endpoints_of(tenant_ids: set[UUID]) -> defaultdict[UUID, list[WebhookEndpoint]]:
    found: defaultdict[UUID, list[WebhookEndpoint]] = defaultdict(list)
    for endpoint in WebhookEndpoint.objects.filter(tenant_id__in=tenant_ids, enabled=True).order_by("id"):
        found[endpoint.tenant_id].append(endpoint)
    return found
