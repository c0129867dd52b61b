"""The people, tenants and keys of a demonstration: made once, found again by a next run.

The file that holds their secrets is the only place where these can be read; what it no longer holds is made anew.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from common.errors import OrchestratorError
from tenants.actions.api_keys import create_api_key
from tenants.actions.people import add_member, create_user, find_user, set_password
from tenants.actions.tenants import create_tenant
from tenants.api_authentication import identify
from tenants.door import TenantRef, tenant_scope
from tenants.models import Domain, Membership
from tenants.scopes import ALL_SCOPES
from tenants.snapshots import find_tenant

KEY_NAME: Final = "demo"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class DemoTenant:
    slug: str
    name: str
    people: tuple[DemoPerson, ...]


OPERATOR: Final = DemoPerson("operator@example.com", "Olga Operator", "operator")
TENANTS: Final = (
    DemoTenant(
        "acme",
        "Acme",
        (DemoPerson("alice@acme.example", "Alice", "owner"), DemoPerson("bob@acme.example", "Bob", "member")),
    ),
    DemoTenant(
        "globex",
        "Globex",
        (DemoPerson("charlie@globex.example", "Charlie", "owner"), DemoPerson("dana@globex.example", "Dana", "member")),
    ),
)


def seed(*, kept: Mapping[str, Any], host: str, port: int) -> dict[str, Any]:
    """Everything there is to know about the demonstration. `kept`: what an earlier run returned, or nothing."""
    passwords = known_passwords(kept)
    keys = {tenant["slug"]: tenant["api_key"] for tenant in kept.get("tenants", ())}
    return {
        "base_url": f"http://{host}:{port}",
        "operator": person(OPERATOR, passwords),
        "tenants": [tenant(each, passwords, keys.get(each.slug, ""), port) for each in TENANTS],
    }


def known_passwords(kept: Mapping[str, Any]) -> dict[str, str]:
    people = [kept.get("operator", {}), *(user for tenant in kept.get("tenants", ()) for user in tenant["users"])]
    return {each["email"]: each["password"] for each in people if "password" in each}


def person(each: DemoPerson, passwords: Mapping[str, str]) -> dict[str, str]:
    """A person whose password is known: the one kept, or a new one."""
    password = passwords.get(each.email) or secrets.token_urlsafe(12)
    user_id = find_user(each.email)
    if user_id is None:
        create_user(email=each.email, password=password, name=each.name, is_operator=each is OPERATOR)
    elif each.email not in passwords:
        set_password(user_id=user_id, password=password)
    return {"email": each.email, "password": password, "name": each.name, "role": each.role}


def tenant(each: DemoTenant, passwords: Mapping[str, str], key: str, port: int) -> dict[str, Any]:
    found = find_tenant(each.slug) or create_tenant(slug=each.slug, name=each.name)
    host = primary_host(found)
    users = [person(member, passwords) for member in each.people]
    owner = join(found, each.people)
    return {
        "slug": each.slug,
        "name": each.name,
        "host": host,
        "url": f"http://{host}:{port}",
        "api_key": key if works(key, found) else new_key(found, owner),
        "users": users,
    }


def primary_host(found: TenantRef) -> str:
    with tenant_scope(found):
        return Domain.objects.get(tenant_id=found.id, is_primary=True).host


def join(found: TenantRef, people: tuple[DemoPerson, ...]) -> UUID | None:
    """Makes the people members where they aren't; the owner's id."""
    owner = None
    for each in people:
        user_id = find_user(each.email)
        if user_id is None:
            continue
        with tenant_scope(found):
            known = Membership.objects.filter(tenant_id=found.id, user_id=user_id).exists()
        if not known:
            add_member(tenant=found, user_id=user_id, role=each.role)
        owner = user_id if each.role == "owner" else owner
    return owner


def new_key(found: TenantRef, owner: UUID | None) -> str:
    return create_api_key(tenant=found, name=KEY_NAME, scopes_granted=ALL_SCOPES, created_by=owner).text


def works(key: str, found: TenantRef) -> bool:
    """One from before there were as many scopes does not."""
    try:
        caller = identify(key) if key else None
    except OrchestratorError:
        return False
    return caller is not None and caller.tenant.id == found.id and caller.scopes >= ALL_SCOPES
