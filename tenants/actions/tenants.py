"""Making tenants, and moving them between their states."""

import re
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from django.conf import settings

from common.errors import Conflict, InvalidRequest, NotFound
from tenants import hosts
from tenants.actions.rows import checked_name, unique_or
from tenants.allow_rules import checked_patterns
from tenants.config_version import raise_version
from tenants.door import in_platform_scope, owner_rights
from tenants.identity import TenantRef
from tenants.models import Domain, Plan, Tenant
from tenants.models.tenant import SLUG
from tenants.provisioning.replay import make_schema
from tenants.roles import Role
from tenants.states import TenantState, check_transition

RESERVED_SLUGS: Final = frozenset({"admin", "api", "app", "auth", "docs", "public", "static", "status", "www"})
NAME: Final = "A tenant's name"
LONGEST_NAME: Final = 200


@in_platform_scope
def create_tenant(
    *,
    slug: str,
    name: str,
    host: str | None = None,
    time_zone: str = "UTC",
    plan: str | None = None,
    default_model: str = "",
) -> TenantRef:
    """A tenant with its schema and its first host, by default its slug before the base domain.

    `plan`: the name of one. Raises InvalidRequest, NotFound (of the plan) and Conflict, each naming its field.
    """
    check_slug(slug)
    check_time_zone(time_zone)
    row = Tenant(
        slug=slug,
        name=checked_name(name, NAME, LONGEST_NAME),
        schema_name="t_" + slug.replace("-", "_"),
        time_zone=time_zone,
        plan=None if plan is None else find_plan(plan),
        default_model=default_model,
    )
    with unique_or(f"There is a tenant {slug!r} already.", param="slug"):
        row.save(force_insert=True)
    insert_domain(row, host or f"{slug}.{settings.ENVIRONMENT.base_domain}", is_primary=True)
    with owner_rights():
        make_schema(row.schema_name)
    return row.ref


@in_platform_scope
def set_tenant_state(*, tenant: TenantRef, state: str) -> None:
    """Effective in every process at once. Raises InvalidRequest, NotFound, and Conflict for no such step."""
    if state not in list(TenantState):
        raise InvalidRequest(f"Unknown state {state!r}. There are {', '.join(TenantState)}.", param="state")
    row = locked(tenant)
    check_transition(TenantState(row.state), TenantState(state))
    row.state = state
    row.save(update_fields=["state"])
    raise_version(tenant.id)


@in_platform_scope
def change_tenant(
    *,
    tenant: TenantRef,
    name: str | None = None,
    time_zone: str | None = None,
    default_model: str | None = None,
    plan: str | None = None,
    request_fallbacks: bool | None = None,
    allowed_by_role: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """What is None stays; an empty `plan` takes the plan away. Raises InvalidRequest and NotFound.

    `allowed_by_role`: which models and routes the keys of people in a role may ask for, by patterns; of a role that is
    not in it, all. `request_fallbacks`: whether requests may name models to fall back to.
    """
    row = locked(tenant)
    if name is not None:
        row.name = checked_name(name, NAME, LONGEST_NAME)
    if time_zone is not None:
        check_time_zone(time_zone)
        row.time_zone = time_zone
    if default_model is not None:
        row.default_model = default_model
    if plan is not None:
        row.plan = find_plan(plan) if plan else None
    if request_fallbacks is not None:
        row.request_fallbacks = request_fallbacks
    if allowed_by_role is not None:
        row.allowed_by_role = checked_by_role(allowed_by_role)
    row.save(update_fields=["name", "time_zone", "default_model", "plan", "request_fallbacks", "allowed_by_role"])
    raise_version(tenant.id)


@in_platform_scope
def add_domain(*, tenant: TenantRef, host: str, is_primary: bool = False) -> UUID:
    """The domain's id. Raises InvalidRequest for what is no host name, and Conflict for one that is taken."""
    row = locked(tenant)
    if is_primary:
        row.domains.update(is_primary=False)
    return insert_domain(row, host, is_primary=is_primary)


@in_platform_scope
def remove_domain(*, tenant: TenantRef, host: str) -> None:
    """Raises NotFound, and Conflict for the primary domain."""
    domain = Domain.objects.filter(tenant_id=tenant.id, host=hosts.normalised(host)).first()
    if domain is None:
        raise NotFound(f"{tenant.slug} has no host {host}.", param="host")
    if domain.is_primary:
        raise Conflict("The primary host stays; make another one primary first.", param="host")
    domain.delete()


def insert_domain(row: Tenant, host: str, *, is_primary: bool) -> UUID:
    name = hosts.checked(host)
    if hosts.is_public(name, settings.ENVIRONMENT.base_domain):
        raise InvalidRequest(f"{name} is the host of the public pages.", param="host")
    with unique_or(f"The host {name} is taken.", param="host"):
        return Domain.objects.create(tenant=row, host=name, is_primary=is_primary).id


def locked(tenant: TenantRef) -> Tenant:
    row = Tenant.objects.select_for_update().filter(id=tenant.id).first()
    if row is None:
        raise NotFound(f"There is no tenant {tenant.slug!r}.", param="tenant")
    return row


def find_plan(name: str) -> Plan:
    plan = Plan.objects.filter(name=name).first()
    if plan is None:
        raise NotFound(f"There is no plan {name!r}.", param="plan")
    return plan


def checked_by_role(lists: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Raises InvalidRequest naming the role or the pattern."""
    if not isinstance(lists, Mapping):
        raise InvalidRequest("Use an object with a list of patterns for each role.", param="allowed_by_role")
    checked: dict[str, list[str]] = {}
    for role, patterns in lists.items():
        where = f"allowed_by_role.{role}"
        if role not in list(Role):
            raise InvalidRequest(f"Unknown role {role[:40]!r}. There are {', '.join(Role)}.", param="allowed_by_role")
        checked[role] = checked_patterns(patterns, where)
    return {role: patterns for role, patterns in checked.items() if patterns}


def check_slug(slug: str) -> None:
    if not re.fullmatch(SLUG, slug):
        raise InvalidRequest(
            "A slug is 1 to 40 lower-case letters, digits and hyphens, with no hyphen at either end.", param="slug"
        )
    if slug in RESERVED_SLUGS:
        raise InvalidRequest(f"The slug {slug!r} is reserved.", param="slug")


def check_time_zone(time_zone: str) -> None:
    if time_zone not in zoneinfo.available_timezones():
        raise InvalidRequest(f"{time_zone!r} is not an IANA time zone, such as Europe/Berlin.", param="time_zone")
