"""Teams: groups of a tenant's members. What a team allows is in the configuration of its members' keys, so that every
change of a place raises the version."""

from collections.abc import Iterable
from uuid import UUID

from common.errors import NotFound
from tenants.actions.people import find_membership
from tenants.actions.rows import checked_name, unique_or
from tenants.allow_rules import checked_patterns
from tenants.config_version import raise_version
from tenants.door import in_open_scope
from tenants.identity import TenantRef
from tenants.models import Team, TeamMember


@in_open_scope
def create_team(*, tenant: TenantRef, name: str, allowed_models: Iterable[str] = ()) -> UUID:
    """The team's id. `allowed_models`: patterns of what its members may ask for, beside what their other teams allow;
    none for all. Raises InvalidRequest and Conflict."""
    checked = checked_name(name, "A team's name")
    patterns = checked_patterns(allowed_models)
    with unique_or(f"{tenant.slug} has a team {name!r} already.", param="name"):
        return Team.objects.create(tenant_id=tenant.id, name=checked, allowed_models=patterns).id


@in_open_scope
def set_team_allowed(*, tenant: TenantRef, team_id: UUID, allowed_models: Iterable[str]) -> None:
    """Effective at once for the keys of its members. Raises InvalidRequest and NotFound."""
    patterns = checked_patterns(allowed_models)
    if not Team.objects.filter(id=team_id, tenant_id=tenant.id).update(allowed_models=patterns):
        raise NotFound(f"{tenant.slug} has no such team.", param="team")
    raise_version(tenant.id)


@in_open_scope
def add_to_team(*, tenant: TenantRef, team_id: UUID, user_id: UUID) -> UUID:
    """The id of the place; repeating it changes nothing. Raises NotFound for a team or person of another tenant."""
    if not Team.objects.filter(id=team_id, tenant_id=tenant.id).exists():
        raise NotFound(f"{tenant.slug} has no such team.", param="team")
    membership = find_membership(tenant, user_id)
    place, _ = TeamMember.objects.get_or_create(
        team_id=team_id, membership=membership, defaults={"tenant_id": tenant.id}
    )
    raise_version(tenant.id)
    return place.id


@in_open_scope
def remove_from_team(*, tenant: TenantRef, team_id: UUID, user_id: UUID) -> None:
    """Repeating it changes nothing."""
    TeamMember.objects.filter(tenant_id=tenant.id, team_id=team_id, membership__user_id=user_id).delete()
    raise_version(tenant.id)


@in_open_scope
def remove_team(*, tenant: TenantRef, team_id: UUID) -> None:
    """Its members stay members of the tenant. Repeating it changes nothing."""
    Team.objects.filter(tenant_id=tenant.id, id=team_id).delete()
    raise_version(tenant.id)
