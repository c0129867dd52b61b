"""What the gateway needs to know about tenants, as values. Each function opens its own platform scope."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from common.errors import NotFound
from tenants.allow_lists import load_allow_lists
from tenants.allow_rules import EVERYTHING, AllowRule
from tenants.door import in_platform_scope
from tenants.identity import IdentitySnapshot, KeyRecord, PlanRecord, TenantRef, Versions
from tenants.models import ApiKey, Domain, Plan, PlatformConfig, Tenant

# Beyond it an expired key is unknown, so that a tenant of many short-lived keys does not grow for ever.
EXPIRY_TOLD_FOR: Final = timedelta(days=30)


@in_platform_scope
def load_identity(tenant_id: UUID) -> IdentitySnapshot:
    """Raises NotFound. The version is read first, so that what follows is at least that new."""
    row = Tenant.objects.select_related("plan").filter(id=tenant_id).first()
    if row is None:
        raise NotFound(f"There is no tenant {tenant_id}.")
    keys = list(known_keys().filter(tenant_id=tenant_id))
    lists = load_allow_lists(row, keys)
    return IdentitySnapshot(
        tenant=row.ref,
        state=row.state,
        time_zone=row.time_zone,
        default_model=row.default_model,
        version=row.config_version,
        plan=plan_record(row.plan),
        keys={key.key_id: key_record(key, lists.rule_of(key)) for key in keys},
        request_fallbacks=row.request_fallbacks,
    )


def known_keys() -> QuerySet[ApiKey]:
    """Keys whose holders are told apart from strangers. In any scope that sees them."""
    lately = datetime.now(UTC) - EXPIRY_TOLD_FOR
    return ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=lately), revoked_at=None)


def plan_record(plan: Plan | None) -> PlanRecord | None:
    return None if plan is None else PlanRecord(plan.name, plan.requests_per_minute)


def key_record(key: ApiKey, allowed: AllowRule = EVERYTHING) -> KeyRecord:
    return KeyRecord(
        id=key.id,
        key_id=key.key_id,
        digest=bytes(key.digest),
        scopes=frozenset(key.scopes),
        expires_at=key.expires_at,
        user_id=key.created_by_id,
        requests_per_minute=key.requests_per_minute,
        allowed=allowed,
    )


@in_platform_scope
def find_tenant_of_key(key_id: str) -> UUID | None:
    """The tenant of a known key."""
    return known_keys().filter(key_id=key_id).values_list("tenant_id", flat=True).first()


@in_platform_scope
def tenant_of_host(host: str) -> TenantRef | None:
    """`host`: as `tenants.hosts.normalised` gives it."""
    domain = Domain.objects.select_related("tenant").filter(host=host).first()
    return None if domain is None else domain.tenant.ref


@in_platform_scope
def find_tenant(slug: str) -> TenantRef | None:
    row = Tenant.objects.filter(slug=slug).first()
    return None if row is None else row.ref


@in_platform_scope
def list_tenants() -> list[TenantRef]:
    """Every tenant, oldest first."""
    return [row.ref for row in Tenant.objects.order_by("created_at", "id")]


@in_platform_scope
def versions_of(tenant_ids: Collection[UUID]) -> Versions:
    """The versions in force now, for polling: the platform's, and those of the tenants a process holds."""
    rows = Tenant.objects.filter(id__in=tenant_ids).values_list("id", "config_version")
    return Versions(platform=PlatformConfig.objects.get().version, tenants=dict(rows))
