"""The control plane's sign-in: an API key, as `Authorization: Bearer` or `x-api-key`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tenants import keys
from tenants.authorization import check_unexpired, prove
from tenants.credentials import presented_key
from tenants.door import in_platform_scope
from tenants.hosts import check_host_of_key
from tenants.identity import TenantRef
from tenants.models import ApiKey
from tenants.scopes import Scope, check_scope
from tenants.snapshots import key_record, known_keys
from tenants.states import check_usable

LAST_USE_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: `request.auth`."""

    tenant: TenantRef
    key_id: UUID
    user_id: UUID | None
    scopes: frozenset[str]
    state: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """`request.user` of a request with an API key, as far as Django asks."""

    caller: Caller
    is_authenticated: bool = True
    is_anonymous: bool = False
    is_active: bool = True

    @property
    def pk(self) -> UUID | None:
        return self.caller.user_id


class ApiKeyAuthentication(BaseAuthentication):
    """Raises Unauthenticated for a key that is not live, PermissionDenied for a suspended tenant or another's host."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, Caller] | None:
        text = presented_key(header(request, "Authorization"), header(request, "x-api-key"))
        if not text:
            return None
        caller = identify(text.decode("latin-1"))
        check_usable(caller.state)
        check_host_of_key(caller.tenant, getattr(request, "tenant", None))
        return KeyHolder(caller), caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def header(request: Request, name: str) -> bytes:
    return request.headers.get(name, "").encode("latin-1", "replace")


def caller_with(request: Request, scope: Scope) -> Caller:
    """Who sent a request. Raises PermissionDenied for a key without the scope."""
    caller = cast(Caller, request.auth)
    check_scope(caller.scopes, scope)
    return caller


@in_platform_scope
def identify(text: str) -> Caller:
    """The caller behind a key's text. Raises Unauthenticated for one that is unknown, revoked or expired."""
    key = keys.parse(text)
    now = datetime.now(UTC)
    row = known_keys().select_related("tenant").filter(key_id=key.key_id).first()
    if row is None:
        raise keys.unknown_key()
    check_unexpired(prove(key_record(row), key, settings.ENVIRONMENT.api_key_pepper), now)
    note_use(row.id, now)
    return Caller(
        tenant=row.tenant.ref,
        key_id=row.id,
        user_id=row.created_by_id,
        scopes=frozenset(row.scopes),
        state=row.tenant.state,
        time_zone=row.tenant.time_zone,
    )


def note_use(key_id: UUID, now: datetime) -> None:
    """At most one write a minute for a key."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USE_EVERY)
    ApiKey.objects.filter(stale, id=key_id).update(last_used_at=now)
