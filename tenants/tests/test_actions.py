"""What the actions allow, refuse and keep true."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from common.errors import Conflict, InvalidRequest, NotFound, OrchestratorError, PermissionDenied
from tenants import snapshots
from tenants.actions import api_keys, people, plans, teams, tenants
from tenants.door import platform_scope, tenant_scope
from tenants.models import Domain, Membership, TeamMember
from tenants.roles import Role
from tenants.scopes import ALL_SCOPES, DEFAULT_SCOPES, check_scope, checked
from tenants.states import TenantState, check_transition, check_usable, check_writable
from tenants.tests.cast import PASSWORD, new_person

pytestmark = pytest.mark.django_db(transaction=True)

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def refused_field(action, **arguments):
    with pytest.raises(OrchestratorError) as refusal:
        action(**arguments)
    return type(refusal.value), refusal.value.param


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("active", "read_only"),
        ("active", "suspended"),
        ("read_only", "active"),
        ("read_only", "suspended"),
        ("suspended", "active"),
        ("suspended", "read_only"),
    ],
)
def test_a_tenant_goes_from_a_state_to_any_other(old, new):
    check_transition(TenantState(old), TenantState(new))


@pytest.mark.parametrize("state", ["active", "read_only", "suspended"])
def test_a_tenant_does_not_become_what_it_is(state):
    arguments = {"old": TenantState(state), "new": TenantState(state)}
    assert refused_field(check_transition, **arguments) == (Conflict, "state")


def test_there_are_three_states():
    assert [str(state) for state in TenantState] == ["active", "read_only", "suspended"]


def test_what_each_state_allows():
    for state, usable, writable in (("active", True, True), ("read_only", True, False), ("suspended", False, False)):
        assert passes(check_usable, state) is usable
        assert passes(check_writable, state) is writable


def passes(check, *arguments):
    try:
        check(*arguments)
    except PermissionDenied:
        return False
    return True


def test_scopes():
    assert checked([]) == DEFAULT_SCOPES < ALL_SCOPES
    assert checked(["models:read"]) == {"models:read"}
    assert passes(check_scope, frozenset({"models:read"}), "models:read")
    assert not passes(check_scope, frozenset({"models:read"}), "usage:read")
    assert refused_field(checked, scopes=["models:write"]) == (InvalidRequest, "scopes")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"slug": "Acme"}, (InvalidRequest, "slug")),
        ({"slug": "-acme"}, (InvalidRequest, "slug")),
        ({"slug": "acme\n"}, (InvalidRequest, "slug")),
        ({"slug": "a" * 41}, (InvalidRequest, "slug")),
        ({"slug": 'a"; drop'}, (InvalidRequest, "slug")),
        ({"slug": "admin"}, (InvalidRequest, "slug")),
        ({"name": "  "}, (InvalidRequest, "name")),
        ({"time_zone": "Mars/Olympus"}, (InvalidRequest, "time_zone")),
        ({"plan": "no such plan"}, (NotFound, "plan")),
        ({"host": "localhost"}, (InvalidRequest, "host")),
        ({"host": "10.0.0.1"}, (InvalidRequest, "host")),
        ({"host": "a..b"}, (InvalidRequest, "host")),
    ],
)
def test_a_tenant_is_refused_with_the_field(change, refusal):
    arguments = {"slug": f"x-{uuid4().hex[:12]}", "name": "X", **change}
    assert refused_field(tenants.create_tenant, **arguments) == refusal
    assert snapshots.find_tenant(arguments["slug"]) is None


def test_slugs_and_hosts_are_taken_once(cast, make_tenant):
    assert refused_field(tenants.create_tenant, slug=cast.acme.tenant.slug, name="X") == (Conflict, "slug")
    taken = {"slug": f"x-{uuid4().hex[:12]}", "name": "X", "host": cast.acme.host.upper()}
    assert refused_field(tenants.create_tenant, **taken) == (Conflict, "host")
    assert snapshots.find_tenant(taken["slug"]) is None


def test_domains(make_tenant):
    made = make_tenant("hosts")
    host = f"Chat.{made.tenant.slug}.example."
    tenants.add_domain(tenant=made.tenant, host=host, is_primary=True)
    assert snapshots.tenant_of_host(host.lower().rstrip(".")) == made.tenant
    assert refused_field(tenants.remove_domain, tenant=made.tenant, host=host) == (Conflict, "host")
    tenants.remove_domain(tenant=made.tenant, host=made.host)
    assert snapshots.tenant_of_host(made.host) is None
    assert refused_field(tenants.remove_domain, tenant=made.tenant, host=made.host) == (NotFound, "host")
    with platform_scope():
        assert [domain.is_primary for domain in Domain.objects.filter(tenant_id=made.tenant.id)] == [True]


def test_state_moves(make_tenant):
    tenant = make_tenant("states").tenant
    for state in ("read_only", "suspended", "active"):
        tenants.set_tenant_state(tenant=tenant, state=state)
        assert snapshots.load_identity(tenant.id).state == state
    assert refused_field(tenants.set_tenant_state, tenant=tenant, state="active") == (Conflict, "state")
    assert refused_field(tenants.set_tenant_state, tenant=tenant, state="deleted") == (InvalidRequest, "state")


def test_keys_are_live_until_revoked_or_expired(make_tenant):
    made = make_tenant("keys")
    soon = datetime.now(UTC) + timedelta(hours=1)
    second = api_keys.create_api_key(tenant=made.tenant, name="second", scopes_granted=["usage:read"], expires_at=soon)
    identity = snapshots.load_identity(made.tenant.id)
    assert set(identity.keys) == {made.key_id, second.key_id}
    record = identity.keys[second.key_id]
    assert (record.scopes, record.expires_at) == (frozenset({"usage:read"}), soon)
    assert record.expired(soon)
    assert not record.expired(soon - timedelta(seconds=1))
    assert identity.keys[made.key_id].scopes == DEFAULT_SCOPES
    api_keys.revoke_api_key(tenant=made.tenant, key_id=made.key_id)
    api_keys.revoke_api_key(tenant=made.tenant, key_id=made.key_id)
    assert set(snapshots.load_identity(made.tenant.id).keys) == {second.key_id}
    assert snapshots.find_tenant_of_key(made.key_id) is None
    assert snapshots.find_tenant_of_key(second.key_id) == made.tenant.id


def test_a_key_is_refused_with_the_field(cast):
    tenant = cast.acme.tenant
    for change, field in (
        ({"name": ""}, "name"),
        ({"scopes_granted": ["x"]}, "scopes"),
        ({"expires_at": YESTERDAY}, "expires_at"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
    ):
        arguments = {"tenant": tenant, "name": "X", **change}
        assert refused_field(api_keys.create_api_key, **arguments) == (InvalidRequest, field)


def test_nobody_revokes_another_tenants_key(cast):
    theirs = {"tenant": cast.globex.tenant, "key_id": cast.acme.key_id}
    assert refused_field(api_keys.revoke_api_key, **theirs) == (NotFound, "key_id")
    with tenant_scope(cast.globex.tenant):
        claimed = {"tenant": cast.acme.tenant, "key_id": cast.acme.key_id}
        assert refused_field(api_keys.revoke_api_key, **claimed) == (NotFound, "key_id")
    assert snapshots.find_tenant_of_key(cast.acme.key_id) == cast.acme.tenant.id


def test_secrets_are_in_no_representation(cast):
    made = api_keys.create_api_key(tenant=cast.acme.tenant, name="shown once")
    record = snapshots.load_identity(cast.acme.tenant.id).keys[made.key_id]
    assert made.text not in repr(made)
    assert repr(record.digest) not in repr(record)


def test_people_sign_in_by_address_in_any_case():
    email = f"Dora-{uuid4().hex[:8]}@Example.com"
    user_id = people.create_user(email=email, password=PASSWORD)
    assert people.find_user(email.upper()) == user_id
    assert refused_field(people.create_user, email=email.lower()) == (Conflict, "email")
    assert refused_field(people.create_user, email="nobody") == (InvalidRequest, "email")
    assert refused_field(people.create_user, email="e@example.com", password="short") == (InvalidRequest, "password")
    assert refused_field(people.change_user, user_id=uuid4(), name="X", is_active=True) == (NotFound, "user")


@pytest.mark.parametrize("role", Role)
def test_members_have_one_role(make_tenant, role):
    tenant, person = make_tenant().tenant, new_person("eve")
    people.add_member(tenant=tenant, user_id=person.id, role=role)
    with tenant_scope(tenant):
        assert [(each.user_id, each.role) for each in Membership.objects.all()] == [(person.id, role.value)]
    again = {"tenant": tenant, "user_id": person.id, "role": "member"}
    assert refused_field(people.add_member, **again) == (Conflict, "user")


def test_a_tenant_keeps_an_owner(make_tenant):
    tenant, first, second = make_tenant().tenant, new_person("first"), new_person("second")
    people.add_member(tenant=tenant, user_id=first.id, role="owner")
    people.add_member(tenant=tenant, user_id=second.id, role="viewer")
    assert refused_field(people.remove_member, tenant=tenant, user_id=first.id) == (Conflict, "role")
    assert refused_field(people.change_role, tenant=tenant, user_id=first.id, role="admin") == (Conflict, "role")
    people.change_role(tenant=tenant, user_id=second.id, role="owner")
    people.remove_member(tenant=tenant, user_id=first.id)
    assert refused_field(people.remove_member, tenant=tenant, user_id=first.id) == (NotFound, "user")
    assert refused_field(people.change_role, tenant=tenant, user_id=second.id, role="boss") == (InvalidRequest, "role")


def test_teams_hold_members_of_their_tenant_alone(cast, make_tenant):
    tenant = make_tenant().tenant
    people.add_member(tenant=tenant, user_id=cast.bob.id, role="member")
    team = teams.create_team(tenant=tenant, name="Core")
    assert refused_field(teams.create_team, tenant=tenant, name="Core") == (Conflict, "name")
    assert refused_field(teams.create_team, tenant=tenant, name=" ") == (InvalidRequest, "name")
    place = teams.add_to_team(tenant=tenant, team_id=team, user_id=cast.bob.id)
    assert teams.add_to_team(tenant=tenant, team_id=team, user_id=cast.bob.id) == place
    stranger = {"tenant": tenant, "team_id": team, "user_id": cast.charlie.id}
    assert refused_field(teams.add_to_team, **stranger) == (NotFound, "user")
    foreign = {"tenant": cast.globex.tenant, "team_id": team, "user_id": cast.charlie.id}
    assert refused_field(teams.add_to_team, **foreign) == (NotFound, "team")
    teams.remove_from_team(tenant=tenant, team_id=team, user_id=cast.bob.id)
    with tenant_scope(tenant):
        assert not TeamMember.objects.exists()


def test_plans():
    name = f"Plan {uuid4()}"
    plans.create_plan(name=name)
    assert refused_field(plans.create_plan, name=name) == (Conflict, "name")
    other = {"plan_id": plans.create_plan(name=f"Plan {uuid4()}"), "name": name, "requests_per_minute": None}
    assert refused_field(plans.change_plan, **other) == (Conflict, "name")
    assert refused_field(plans.create_plan, name="") == (InvalidRequest, "name")
    zero = {"name": "Z", "requests_per_minute": 0}
    assert refused_field(plans.create_plan, **zero) == (InvalidRequest, "requests_per_minute")
    assert refused_field(plans.change_plan, plan_id=uuid4(), **{**zero, "requests_per_minute": 1}) == (NotFound, "plan")


def test_snapshots_of_what_is_not_there():
    assert snapshots.find_tenant("no-such-tenant") is None
    assert snapshots.find_tenant_of_key("no-such-key") is None
    assert snapshots.tenant_of_host("no.such.host") is None
    assert snapshots.versions_of([uuid4()]).tenants == {}
    with pytest.raises(NotFound):
        snapshots.load_identity(uuid4())
