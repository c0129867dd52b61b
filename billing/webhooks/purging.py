"""Events are kept for a while, to be looked at and replayed, and then go with their deliveries."""

from datetime import datetime, timedelta
from typing import Final

from billing.webhooks.models import OutboxEvent
from common.ids import earliest_id
from tenants.door import in_platform_scope

KEPT: Final = timedelta(days=90)
BATCH: Final = 1000


@in_platform_scope
def purge_batch(now: datetime) -> int:
    """Of at most BATCH events; returns how many there were."""
    old = OutboxEvent.objects.filter(id__lt=earliest_id(now - KEPT)).order_by("id").values_list("id", flat=True)
    wanted = list(old[:BATCH])
    OutboxEvent.objects.filter(id__in=wanted).delete()
    return len(wanted)


def purge(now: datetime) -> int:
    """All that are old; returns how many."""
    gone = 0
    while batch := purge_batch(now):
        gone += batch
    return gone
