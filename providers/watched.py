"""The providers whose health a tenant may see: its own, and the platform's that its plan has and it does not hide."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from providers.checks import Check, Status, recent, status_of
from providers.egress.policy import Scope
from providers.models import Provider
from providers.scope import Owner, owner_scope
from tenants.identity import TenantRef


@dataclass(frozen=True, slots=True)
class WatchedCredential:
    id: UUID
    label: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """`interval`: seconds between two looks. The platform's credentials are nobody's business."""

    id: UUID
    name: str
    scope: Scope
    enabled: bool
    interval: float
    credentials: tuple[WatchedCredential, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialHealth:
    credential: WatchedCredential
    status: Status
    check_at: datetime | None = None
    latency_ms: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """`checks` are the latest looks, the last one first; `status` what follows from it now."""

    watched: Watched
    status: Status
    checks: tuple[Check, ...]
    credentials: tuple[CredentialHealth, ...]


def watched_by(tenant: TenantRef, *, plan: str | None, platform_interval: float) -> list[Watched]:
    """Sorted by name. Opens the tenant's scope, then the platform's."""
    with owner_scope(tenant):
        rows = list(Provider.objects.prefetch_related("credentials"))
    own = [watched(row, "tenant", row.health_interval_seconds) for row in rows]
    hidden = {each.name for each in own}
    with owner_scope(None):
        shared = list(Provider.objects.filter(enabled=True))
    offered = (row for row in shared if not row.offered_to_plans or plan in row.offered_to_plans)
    own += [watched(row, "platform", platform_interval) for row in offered if row.name not in hidden]
    return sorted(own, key=lambda each: each.name)


def watched(row: Provider, scope: Scope, interval: float) -> Watched:
    shown = row.credentials.all() if scope == "tenant" else ()
    credentials = tuple(WatchedCredential(each.id, each.label, each.enabled) for each in shown)
    return Watched(row.id, row.name, scope, row.enabled, interval, credentials)


def healths(tenant: TenantRef, providers: list[Watched], *, now: datetime) -> list[Health]:
    """Of each of them, in their order. Raises RedisError."""
    owners: list[Owner] = [tenant if each.scope == "tenant" else None for each in providers]
    kept = recent([(owner, each.id) for owner, each in zip(owners, providers, strict=True)])
    return [health_of(each, checks, now) for each, checks in zip(providers, kept, strict=True)]


def health_of(provider: Watched, checks: tuple[Check, ...], now: datetime) -> Health:
    """One that is switched off, or watched no more, is unknown."""
    last = checks[0] if checks and provider.enabled and provider.interval else None
    status = status_of(last.error, last.at, now=now, interval=provider.interval) if last else "unknown"
    credentials = tuple(credential_health(each, provider, last, now) for each in provider.credentials)
    return Health(provider, status, checks, credentials)


def credential_health(
    credential: WatchedCredential, provider: Watched, last: Check | None, now: datetime
) -> CredentialHealth:
    found = next((each for each in last.credentials if each.id == credential.id), None) if last else None
    if last is None or found is None or not credential.enabled:
        return CredentialHealth(credential, "unknown")
    status = status_of(found.error, last.at, now=now, interval=provider.interval)
    return CredentialHealth(credential, status, last.at, found.latency_ms, found.error)
