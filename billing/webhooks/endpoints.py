"""Actions on a tenant's webhooks, each in a transaction of its own in the tenant's scope."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import QuerySet

from billing.webhooks import secrets
from billing.webhooks.event_types import checked_types
from billing.webhooks.models import WebhookEndpoint
from common.crypto import SecretUnreadable
from common.errors import InvalidRequest, NotFound
from providers.egress.configured import check_url
from tenants.door import tenant_scope
from tenants.identity import TenantRef

MOST_ENDPOINTS: Final = 20
OVERLAP: Final = timedelta(hours=24)
CHANGEABLE: Final = ("url", "description", "event_types", "enabled")


@dataclass(frozen=True, slots=True)
class ShownSecret:
    """The only moment that a secret is known, as `whsec_…`."""

    endpoint_id: UUID
    secret: str = field(repr=False)


def create_endpoint(
    *, tenant: TenantRef, url: str, description: str = "", event_types: list[str] | None = None, enabled: bool = True
) -> ShownSecret:
    """Raises InvalidRequest naming the field, and for more than MOST_ENDPOINTS."""
    row = WebhookEndpoint(tenant_id=tenant.id)
    assign(row, tenant, url=url, description=description, event_types=event_types or [], enabled=enabled)
    secret = secrets.new_secret()
    row.secret = secrets.sealed(row, "secret", secret)
    with tenant_scope(tenant):
        if endpoints_of(tenant).count() >= MOST_ENDPOINTS:
            raise InvalidRequest(f"A tenant has at most {MOST_ENDPOINTS} webhooks.", code="too_many_webhooks")
        row.save(force_insert=True)
    return ShownSecret(row.id, secrets.shown(secret))


def change_endpoint(*, tenant: TenantRef, endpoint_id: UUID, **changes: Any) -> None:
    """`changes`: url, description, event_types, enabled. Raises NotFound, and InvalidRequest naming the field.

    Switching it on forgets that it failed; what waited meanwhile goes out.
    """
    with tenant_scope(tenant):
        row = endpoint_of(tenant, endpoint_id, locked=True)
        was_enabled = row.enabled
        assign(row, tenant, **changes)
        if row.enabled and not was_enabled:
            row.failing_since = row.disabled_at = None
            row.disabled_reason = ""
        row.save()


def delete_endpoint(*, tenant: TenantRef, endpoint_id: UUID) -> None:
    """With its deliveries. Raises NotFound."""
    with tenant_scope(tenant):
        endpoint_of(tenant, endpoint_id, locked=True).delete()


def rotate_secret(*, tenant: TenantRef, endpoint_id: UUID, now: datetime) -> ShownSecret:
    """A new secret; the one before it signs beside it for OVERLAP, one still older no more. Raises NotFound."""
    secret = secrets.new_secret()
    with tenant_scope(tenant):
        row = endpoint_of(tenant, endpoint_id, locked=True)
        try:
            before: bytes | None = secrets.opened(row, "secret")
        except SecretUnreadable:
            before = None
        row.previous_secret = None if before is None else secrets.sealed(row, "previous_secret", before)
        row.previous_secret_until = None if before is None else now + OVERLAP
        row.secret = secrets.sealed(row, "secret", secret)
        row.save()
    return ShownSecret(endpoint_id, secrets.shown(secret))


def endpoints_of(tenant: TenantRef) -> QuerySet[WebhookEndpoint]:
    """The oldest first. In the tenant's scope."""
    return WebhookEndpoint.objects.filter(tenant_id=tenant.id).order_by("id")


def endpoint_of(tenant: TenantRef, endpoint_id: UUID, *, locked: bool = False) -> WebhookEndpoint:
    """In the tenant's scope. Raises NotFound."""
    rows = endpoints_of(tenant).filter(id=endpoint_id)
    row = (rows.select_for_update() if locked else rows).first()
    if row is None:
        raise NotFound("There is no such webhook.", param="webhook_id")
    return row


def assign(row: WebhookEndpoint, tenant: TenantRef, **values: Any) -> None:
    """Raises InvalidRequest naming the field."""
    if "url" in values:
        check_destination(values["url"], tenant)
    if "event_types" in values:
        values["event_types"] = checked_types(values["event_types"])
    for name in CHANGEABLE:
        if name in values:
            setattr(row, name, values[name])


def check_destination(url: str, tenant: TenantRef) -> None:
    check_url(url, tenant, param="url")
    if "@" in urlsplit(url).netloc:
        raise InvalidRequest("A URL that is shown again holds no user name and no password.", param="url")
