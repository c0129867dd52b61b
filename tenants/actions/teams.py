"""Teams: groups of a tenant's members."""

from uuid import UUID

from django.db import IntegrityError, transaction

from common.errors import Conflict, InvalidRequest, NotFound
from tenants.actions.people import find_membership
from tenants.door import in_open_scope
from tenants.identity import TenantRef
from tenants.models import Team, TeamMember


@in_open_scope
def create_team(*, tenant: TenantRef, name: str) -> UUID:
    """The team's id. Raises InvalidRequest and Conflict."""
    if not 1 <= len(name.strip()) <= 100:
        raise InvalidRequest("A team's name has 1 to 100 characters.", param="name")
    try:
        with transaction.atomic():
            return Team.objects.create(tenant_id=tenant.id, name=name.strip()).id
    except IntegrityError as error:
        raise Conflict(f"{tenant.slug} has a team {name!r} already.", param="name") from error


@in_open_scope
def add_to_team(*, tenant: TenantRef, team_id: UUID, user_id: UUID) -> UUID:
    """The id of the place; repeating it changes nothing. Raises NotFound for a team or person of another tenant."""
    if not Team.objects.filter(id=team_id, tenant_id=tenant.id).exists():
        raise NotFound(f"{tenant.slug} has no such team.", param="team")
    membership = find_membership(tenant, user_id)
    place, _ = TeamMember.objects.get_or_create(
        team_id=team_id, membership=membership, defaults={"tenant_id": tenant.id}
    )
    return place.id


@in_open_scope
def remove_from_team(*, tenant: TenantRef, team_id: UUID, user_id: UUID) -> None:
    """Repeating it changes nothing."""
    TeamMember.objects.filter(tenant_id=tenant.id, team_id=team_id, membership__user_id=user_id).delete()


@in_open_scope
def remove_team(*, tenant: TenantRef, team_id: UUID) -> None:
    """Its members stay members of the tenant. Repeating it changes nothing."""
    Team.objects.filter(tenant_id=tenant.id, id=team_id).delete()
