"""A tenant's providers and routes: what is announced of them is put into its outbox in the same transaction."""

from typing import Any
from uuid import UUID

from billing.webhooks.outbox import emit
from providers.scope import Owner


def tell_of_configuration(*, owner: Owner, event: str, row_id: UUID, name: str, **signalled: Any) -> None:
    """A receiver of `providers.signals.announced`. The platform's own configuration is no tenant's to hear of."""
    if owner is not None:
        emit(tenant_id=owner.id, event_type=event, payload={"id": str(row_id), "name": name})
