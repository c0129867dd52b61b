"""The control plane's sign-in: an API key, as `Authorization: Bearer` or `x-api-key`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from common.errors import InvalidRequest, Unauthenticated
from tenants import keys
from tenants.door import in_platform_scope
from tenants.hosts import check_host_of_key
from tenants.identity import TenantRef
from tenants.models import ApiKey
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
        text = presented_key(request)
        if text is None:
            return None
        caller = identify(text)
        check_host_of_key(caller.tenant, getattr(request, "tenant", None))
        check_usable(caller.state)
        return KeyHolder(caller), caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def presented_key(request: Request) -> str | None:
    """None for none. Raises InvalidRequest for two, in one header or in both."""
    authorization, plain = request.headers.get("Authorization", ""), request.headers.get("x-api-key")
    scheme, _, credentials = authorization.partition(" ")
    bearer = credentials.strip() if scheme.lower() == "bearer" else None
    # Django joins a header that was repeated with commas; no key has one.
    if "," in (bearer or "") or "," in (plain or ""):
        raise InvalidRequest("An API key was given more than once.")
    if bearer is not None and plain is not None and bearer != plain.strip():
        raise InvalidRequest("Two different API keys were given, in Authorization and in x-api-key.")
    return plain if bearer is None else bearer


@in_platform_scope
def identify(text: str) -> Caller:
    """The caller behind a key's text. Raises Unauthenticated."""
    parsed = keys.parse(text)
    now = datetime.now(UTC)
    row = ApiKey.objects.select_related("tenant").filter(key_id=parsed.key_id).first()
    if row is None or not keys.matches(parsed.secret, bytes(row.digest), settings.ENVIRONMENT.api_key_pepper):
        raise Unauthenticated(keys.REFUSAL)
    if not row.is_live(now):
        raise Unauthenticated(f"This API key has {'expired' if row.revoked_at is None else 'been revoked'}.")
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
