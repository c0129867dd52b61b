"""Making and revoking API keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from common.errors import InvalidRequest, NotFound
from tenants import keys, scopes
from tenants.actions.rows import check_limit, checked_name
from tenants.allow_rules import checked_patterns
from tenants.config_version import raise_version
from tenants.door import in_open_scope
from tenants.identity import TenantRef
from tenants.models import ApiKey


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made; the only moment its text is known."""

    id: UUID
    key_id: str
    text: str = field(repr=False)


@in_open_scope
def create_api_key(
    *,
    tenant: TenantRef,
    name: str,
    scopes_granted: Iterable[str] = (),
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
    allowed_models: Iterable[str] = (),
    created_by: UUID | None = None,
) -> NewApiKey:
    """A live key; with no scopes named it may use the platform, not change it. Raises InvalidRequest.

    `allowed_models`: patterns of models and routes; none for all that its plan and its user are allowed.
    """
    checked = checked_name(name, "A key's name")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidRequest("The key would have expired already.", param="expires_at")
    check_limit(requests_per_minute)
    patterns = checked_patterns(allowed_models)
    made = keys.generate()
    row = ApiKey.objects.create(
        tenant_id=tenant.id,
        name=checked,
        key_id=made.key_id,
        digest=keys.digest(made.secret, settings.ENVIRONMENT.api_key_pepper),
        scopes=sorted(scopes.checked(scopes_granted)),
        expires_at=expires_at,
        requests_per_minute=requests_per_minute,
        allowed_models=patterns,
        created_by_id=created_by,
    )
    raise_version(tenant.id)
    return NewApiKey(id=row.id, key_id=made.key_id, text=made.text)


@in_open_scope
def revoke_api_key(*, tenant: TenantRef, key_id: str) -> None:
    """Effective at once in every process; repeating it changes nothing. Raises NotFound."""
    row = locked_key(tenant, key_id)
    if row.revoked_at is not None:
        return
    row.revoked_at = datetime.now(UTC)
    row.save(update_fields=["revoked_at"])
    raise_version(tenant.id)


@in_open_scope
def set_key_allowed(*, tenant: TenantRef, key_id: str, allowed_models: Iterable[str]) -> None:
    """Which models and routes the key may ask for, by patterns; none for all. Effective at once.

    Raises InvalidRequest and NotFound.
    """
    patterns = checked_patterns(allowed_models)
    row = locked_key(tenant, key_id)
    row.allowed_models = patterns
    row.save(update_fields=["allowed_models"])
    raise_version(tenant.id)


def locked_key(tenant: TenantRef, key_id: str) -> ApiKey:
    row = ApiKey.objects.select_for_update().filter(tenant_id=tenant.id, key_id=key_id).first()
    if row is None:
        raise NotFound(f"{tenant.slug} has no API key {key_id!r}.", param="key_id")
    return row
