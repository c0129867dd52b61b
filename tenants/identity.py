"""Tenants, their keys and their plans as values, which is how they travel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tenants.allow_rules import EVERYTHING, AllowRule


@dataclass(frozen=True, slots=True)
class TenantRef:
    """Who a piece of work is for. Passed explicitly; never read back from a connection."""

    id: UUID
    slug: str
    schema_name: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key that is not revoked; whether it has expired is for the clock to say.

    `allowed` is what the lists of the key, its user's role and teams, and the tenant's plan leave of models and routes.
    """

    id: UUID
    key_id: str
    digest: bytes = field(repr=False)
    scopes: frozenset[str]
    expires_at: datetime | None
    user_id: UUID | None
    requests_per_minute: int | None
    allowed: AllowRule = EVERYTHING

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class PlanRecord:
    name: str
    requests_per_minute: int | None


@dataclass(frozen=True, slots=True)
class IdentitySnapshot:
    """One tenant as of `version`; `keys` by key id, without the revoked and the long expired.

    `request_fallbacks`: whether a request may name models of its own to fall back to.
    """

    tenant: TenantRef
    state: str
    time_zone: str
    default_model: str
    version: int
    plan: PlanRecord | None
    keys: Mapping[str, KeyRecord]
    request_fallbacks: bool = True

    @property
    def plan_name(self) -> str | None:
        return None if self.plan is None else self.plan.name


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions in force: the platform's, and those of tenants by id."""

    platform: int
    tenants: Mapping[UUID, int]


def redis_tag(tenant_id: UUID) -> str:
    """What each of a tenant's keys in Redis begins with; the braces keep them on one shard."""
    return f"{{t:{tenant_id.hex}}}"


def version_key(tenant_id: UUID) -> str:
    """Where Redis has the version of a tenant's configuration."""
    return redis_tag(tenant_id) + ":cfg"
