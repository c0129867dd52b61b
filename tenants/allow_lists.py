"""What each of a tenant's keys is allowed, from the lists of its plan, its user's role and teams, and its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from tenants.allow_rules import EVERYTHING, NOTHING, AllowRule, Patterns, any_of
from tenants.models import ApiKey, Membership, Team, TeamMember, Tenant, User


@dataclass(frozen=True, slots=True)
class AllowLists:
    """`people`: the lists of each person who has a key; nobody is in it while neither roles nor teams have lists."""

    plan: Patterns
    people: Mapping[UUID, tuple[Patterns, ...]]

    def rule_of(self, key: ApiKey) -> AllowRule:
        person = () if key.created_by_id is None else self.people.get(key.created_by_id, ())
        own = tuple(key.allowed_models)
        lists = (*filter(None, (self.plan, own)), *person)
        return AllowRule(lists) if lists else EVERYTHING


def load_allow_lists(tenant: Tenant, keys: Collection[ApiKey]) -> AllowLists:
    """In a scope that sees the tenant; asks for people only where a list binds them."""
    users = {key.created_by_id for key in keys if key.created_by_id is not None}
    plan = () if tenant.plan is None else tuple(tenant.plan.allowed_models)
    binds_people = any(tenant.allowed_by_role.values()) or teams_with_lists(tenant.id)
    return AllowLists(plan, people_of(tenant, users) if users and binds_people else {})


def teams_with_lists(tenant_id: UUID) -> bool:
    return Team.objects.filter(tenant_id=tenant_id).exclude(allowed_models=[]).exists()


def people_of(tenant: Tenant, users: Collection[UUID]) -> dict[UUID, tuple[Patterns, ...]]:
    """Who has left the tenant is allowed nothing: the lists that bound them are not known any more.

    An operator's keys are the tenant's own, unless the operator is a member.
    """
    roles = dict(Membership.objects.filter(tenant_id=tenant.id, user_id__in=users).values_list("user_id", "role"))
    operators = set(User.objects.filter(id__in=users, is_staff=True).values_list("id", flat=True))
    teams: dict[UUID, list[Patterns]] = {}
    places = TeamMember.objects.filter(tenant_id=tenant.id, membership__user_id__in=users)
    for user_id, patterns in places.values_list("membership__user_id", "team__allowed_models"):
        teams.setdefault(user_id, []).append(tuple(patterns))
    by_role = {role: tuple(patterns) for role, patterns in tenant.allowed_by_role.items()}
    people = {
        user_id: tuple(filter(None, (by_role.get(role, ()), any_of(teams.get(user_id, ())))))
        for user_id, role in roles.items()
    }
    return people | dict.fromkeys(set(users) - roles.keys() - operators, NOTHING)
