"""What a tenant's home page shows, gathered through the door as values."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.reports import Grouping, UsageReport, usage
from providers.catalogue import ModelCard, list_cards
from providers.snapshots import load_platform_catalogue, load_tenant_catalogue
from tenants.door import TenantRef, tenant_scope
from tenants.models import Membership, Tenant
from tenants.snapshots import load_identity

DAYS = 7


@dataclass(frozen=True, slots=True)
class Member:
    """One person in one tenant, with what the page says about both."""

    tenant: TenantRef
    tenant_name: str
    state: str
    time_zone: str
    default_model: str
    role: str


@dataclass(frozen=True, slots=True)
class Home:
    member: Member
    models: tuple[ModelCard, ...]
    usage: UsageReport


def find_member(tenant: TenantRef, user_id: UUID) -> Member | None:
    """None for a person who is nobody in this tenant."""
    with tenant_scope(tenant):
        membership = Membership.objects.filter(tenant_id=tenant.id, user_id=user_id).first()
        if membership is None:
            return None
        row = Tenant.objects.get(id=tenant.id)
        return Member(
            tenant=tenant,
            tenant_name=row.name,
            state=row.state,
            time_zone=row.time_zone,
            default_model=row.default_model or settings.ENVIRONMENT.default_model,
            role=membership.role,
        )


def find_tenant_name(tenant: TenantRef) -> str:
    """The name that visitors see before they sign in."""
    with tenant_scope(tenant):
        return Tenant.objects.values_list("name", flat=True).get(id=tenant.id)


def find_tenant_state(tenant: TenantRef) -> str:
    with tenant_scope(tenant):
        return Tenant.objects.values_list("state", flat=True).get(id=tenant.id)


def load_home(member: Member, *, now: datetime | None = None) -> Home:
    """The last DAYS local days, today included."""
    plan = load_identity(member.tenant.id).plan_name
    zone = ZoneInfo(member.time_zone)
    tomorrow = (now or datetime.now(UTC)).astimezone(zone).date() + timedelta(days=1)
    return Home(
        member=member,
        models=list_cards(load_tenant_catalogue(member.tenant), load_platform_catalogue(), plan),
        usage=usage(
            member.tenant, first=tomorrow - timedelta(days=DAYS), end=tomorrow, zone=zone, group_by=Grouping.DAY
        ),
    )
