"""Webhooks' secrets moved to a new key, by `manage.py rewrap_secrets` with the providers'."""

from uuid import UUID

from billing.webhooks import secrets
from billing.webhooks.models import WebhookEndpoint
from common.crypto import SecretUnreadable
from providers.actions.rewrapping import BATCH, Rewrapped
from providers.scope import Owner, in_owner_scope, keyring


@in_owner_scope
def rewrap_endpoints(*, owner: Owner, after: UUID | None = None, size: int = BATCH) -> Rewrapped:
    """As `providers.actions.rewrapping.rewrap_batch`. The platform has no webhooks."""
    if owner is None:
        return Rewrapped(0, None)
    rows = WebhookEndpoint.objects.filter(tenant_id=owner.id).order_by("id").select_for_update()
    batch = list((rows if after is None else rows.filter(id__gt=after))[:size])
    moved, unreadable = 0, []
    for row in batch:
        try:
            moved += rewrap(row)
        except SecretUnreadable as error:
            unreadable.append(f"{row.id}: {error}")
    return Rewrapped(moved, batch[-1].id if len(batch) == size else None, tuple(unreadable))


def rewrap(row: WebhookEndpoint) -> bool:
    """Whether a secret had to be moved. Raises SecretUnreadable."""
    held = {name: getattr(row, name) for name in ("secret", "previous_secret") if getattr(row, name) is not None}
    old = {name: bytes(value) for name, value in held.items() if not keyring().is_current(bytes(value))}
    for name, value in old.items():
        setattr(row, name, keyring().rewrap(value, place=secrets.place(row, name)))
    if old:
        row.save(update_fields=list(old))
    return bool(old)
