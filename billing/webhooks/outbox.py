"""Events, written in the transaction of what they tell of."""

import json
from typing import Any, Final
from uuid import UUID

from billing.webhooks.event_types import EVENT_TYPES
from billing.webhooks.models import OutboxEvent
from tenants.door import in_open_scope

# The specification advises 20 kB at most; what is larger is fetched by its id.
LARGEST_PAYLOAD: Final = 64 * 1024
LONGEST_ONCE: Final = 200


@in_open_scope
def emit(*, tenant_id: UUID, event_type: str, payload: dict[str, Any], once: str | None = None) -> None:
    """Tells the tenant's webhooks of something, if the caller's transaction commits, and not otherwise.

    In a scope that sees the tenant. `payload` is the event's `data`: JSON, without secrets. Of all events of a tenant
    with the same `once` the first alone is kept, for as long as it is (`purging.KEPT`). Raises ValueError for a type
    that is not among EVENT_TYPES, for a payload above LARGEST_PAYLOAD and for a `once` above LONGEST_ONCE characters.
    """
    if event_type not in EVENT_TYPES:
        raise ValueError(f"{event_type} is not among billing.webhooks.event_types.EVENT_TYPES")
    if len(json.dumps(payload)) > LARGEST_PAYLOAD:
        raise ValueError(f"the payload of {event_type} is larger than {LARGEST_PAYLOAD} bytes")
    if once is not None and len(once) > LONGEST_ONCE:
        raise ValueError(f"`once` of {event_type} is longer than {LONGEST_ONCE} characters")
    event = OutboxEvent(tenant_id=tenant_id, type=event_type, payload=payload, once=once)
    OutboxEvent.objects.bulk_create([event], ignore_conflicts=once is not None)
