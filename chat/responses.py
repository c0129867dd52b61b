"""Stored responses, each behind its tenant's door: another tenant's are not found."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from chat import models
from common.errors import NotFound
from providers.wire.responses.history import StoredResponse
from tenants.door import tenant_scope
from tenants.identity import TenantRef

KEPT_FOR: Final = timedelta(days=30)
MOST_PURGED: Final = 10_000
ID: Final = re.compile(r"resp_[0-9a-f]{32}")


def store_response(*, tenant: TenantRef, stored: StoredResponse, api_key_id: UUID | None, user_id: UUID | None) -> None:
    """Repeatable: a response that is there already stays as it is."""
    now = datetime.now(UTC)
    row = models.StoredResponse(
        id=stored.id,
        api_key_id=api_key_id,
        user_id=user_id,
        items=stored.items,
        response=stored.response,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    with tenant_scope(tenant):
        models.StoredResponse.objects.bulk_create([row], ignore_conflicts=True)


def find_response(*, tenant: TenantRef, response_id: str) -> StoredResponse:
    """Raises NotFound, also for one that has expired."""
    check_id(response_id)
    with tenant_scope(tenant):
        row = models.StoredResponse.objects.filter(id=response_id, expires_at__gt=datetime.now(UTC)).first()
    if row is None:
        raise unknown(response_id)
    return StoredResponse(id=row.id, items=bytes(row.items), response=bytes(row.response))


def delete_response(*, tenant: TenantRef, response_id: str) -> None:
    """Raises NotFound."""
    check_id(response_id)
    with tenant_scope(tenant):
        deleted, _ = models.StoredResponse.objects.filter(id=response_id, expires_at__gt=datetime.now(UTC)).delete()
    if not deleted:
        raise unknown(response_id)


def purge_responses(*, tenant: TenantRef, most: int = MOST_PURGED) -> int:
    """Deletes what has expired, at most `most` rows; returns how many."""
    with tenant_scope(tenant):
        expired = models.StoredResponse.objects.filter(expires_at__lte=datetime.now(UTC)).order_by("expires_at")
        ids = list(expired.values_list("id", flat=True)[:most])
        deleted, _ = models.StoredResponse.objects.filter(id__in=ids).delete()
    return deleted


def check_id(response_id: str) -> None:
    if not ID.fullmatch(response_id):
        raise unknown(response_id)


def unknown(response_id: str) -> NotFound:
    return NotFound(f"There is no stored response {response_id[:80]!a}.", code="response_not_found")
