"""Deliveries that are due, each taken by one worker, which has LEASE to say what came of it."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from billing.webhooks.event_types import TEST
from billing.webhooks.models import OutboxEvent, WebhookDelivery
from billing.webhooks.secrets import opened_all
from common.crypto import SecretUnreadable
from tenants.door import in_platform_scope

# Longer than a worker's task may run: who is heard of no more by then is gone.
LEASE: Final = timedelta(minutes=2)
BATCH: Final = 100
# One endpoint that is slow takes no more of a turn than this.
MOST_OF_ENDPOINT: Final = 10

CLAIM: Final = """
WITH due AS (
    SELECT delivery.id
    FROM (
        SELECT endpoint.id FROM billing_webhookendpoint AS endpoint
        JOIN tenants_tenant AS tenant ON tenant.id = endpoint.tenant_id
        WHERE endpoint.enabled AND tenant.state <> 'suspended'
        ORDER BY random()
    ) AS endpoint
    CROSS JOIN LATERAL (
        SELECT id FROM billing_webhookdelivery
        WHERE endpoint_id = endpoint.id AND status = 'pending' AND next_attempt_at <= %(now)s
        ORDER BY next_attempt_at LIMIT %(of_endpoint)s
        FOR UPDATE SKIP LOCKED
    ) AS delivery
    LIMIT %(most)s
)
UPDATE billing_webhookdelivery AS delivery
SET attempts = attempts + 1, last_attempt_at = %(now)s, next_attempt_at = %(until)s
FROM due WHERE delivery.id = due.id
RETURNING delivery.id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An attempt to be made. `attempt` and `before` are the row's `attempts` and `attempts_before` as it was taken:
    what comes of the attempt is written only where they still are. `secrets` is empty where they do not open.
    """

    delivery_id: UUID
    endpoint_id: UUID
    tenant_id: UUID
    attempt: int
    before: int
    url: str
    message_id: str
    body: str
    is_test: bool
    secrets: tuple[bytes, ...] = field(repr=False)


@in_platform_scope
def claim(now: datetime) -> list[Claimed]:
    """At most BATCH, of endpoints that are switched on, of tenants that are not suspended."""
    limits: dict[str, datetime | int] = {
        "now": now,
        "until": now + LEASE,
        "of_endpoint": MOST_OF_ENDPOINT,
        "most": BATCH,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, limits)
        taken = [row[0] for row in cursor.fetchall()]
    rows = WebhookDelivery.objects.filter(id__in=taken).select_related("endpoint", "event")
    return [claimed(row, now) for row in rows]


def claimed(row: WebhookDelivery, now: datetime) -> Claimed:
    try:
        secrets = opened_all(row.endpoint, now)
    except SecretUnreadable:
        secrets = ()
    return Claimed(
        delivery_id=row.id,
        endpoint_id=row.endpoint_id,
        tenant_id=row.tenant_id,
        attempt=row.attempts,
        before=row.attempts_before,
        url=row.endpoint.url,
        message_id=str(row.event_id),
        body=body_of(row.event),
        is_test=row.event.type == TEST,
        secrets=secrets,
    )


def body_of(event: OutboxEvent) -> str:
    """The same on every attempt."""
    moment = event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"type": event.type, "timestamp": moment, "data": event.payload}
    return json.dumps(content, separators=(",", ":"), sort_keys=True)
