"""Who is allowed which models and routes: by the lists of plan, role, teams and key."""

import pytest

from common.errors import InvalidRequest, NotFound
from tenants.actions.api_keys import create_api_key, revoke_api_key, set_key_allowed
from tenants.actions.people import change_role, remove_member
from tenants.actions.plans import change_plan, create_plan
from tenants.actions.teams import add_to_team, create_team, remove_from_team, remove_team, set_team_allowed
from tenants.actions.tenants import change_tenant
from tenants.allow_rules import AllowRule, AnyOf, any_of, checked_patterns
from tenants.door import platform_scope
from tenants.models import User
from tenants.snapshots import load_identity
from tenants.tests.cast import join, new_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("pattern", "fitting", "unfitting"),
    [
        ("fast", ["fast"], ["faster", "Fast", "", "breakfast"]),
        ("openai/*", ["openai/gpt-4o", "openai/"], ["openai", "xopenai/gpt-4o"]),
        ("*", ["", "anything/at/all"], []),
        ("*-mini", ["gpt-4o-mini", "-mini"], ["mini", "gpt-4o-minim"]),
        ("a*a", ["aa", "aba", "a*a"], ["a", "ab"]),
        ("a*b*c", ["abc", "axxbxxc", "abbc"], ["ac", "acb", "a-c"]),
        ("*x*", ["x", "axb"], ["", "ab"]),
        ("ab*ba", ["abba", "abxba"], ["aba"]),
        ("a.c", ["a.c"], ["abc"]),
        ("[a-z]", ["[a-z]"], ["a"]),
    ],
)
def test_a_star_stands_for_anything_and_the_rest_for_itself(pattern, fitting, unfitting):
    assert [name for name in (*fitting, *unfitting) if AnyOf((pattern,)).matches(name)] == fitting


def test_a_pattern_of_stars_is_matched_in_no_time():
    assert not AnyOf(("*a" * 130 + "b",)).matches("a" * 265)
    assert AnyOf(("*a" * 130 + "*",)).matches("a" * 265)


def test_one_of_several_patterns_is_enough():
    several = AnyOf(("fast", "openai/*", "*-mini", "a*b", "x*y*z"))
    names = ["fast", "openai/x", "gpt-mini", "a-b", "x-y-z", "slow", "azure/x", "mini-x", "a-c", "x-z"]
    assert [name for name in names if several.matches(name)] == names[:5]
    assert not AnyOf(()).matches("")


def test_every_list_must_match_one_of_the_names():
    rule = AllowRule([("openai/*", "fast"), ("gpt-*",)])
    assert rule.allows("openai/gpt-4o", "gpt-4o")
    assert not rule.allows("openai/gpt-4o")
    assert not rule.allows("azure/gpt-4o", "gpt-4o")
    assert not rule.allows("fast")
    assert not rule.allows("fast")
    assert AllowRule().allows("anything")
    assert not AllowRule([()]).allows("anything")


def test_of_several_teams_any_may_allow_and_one_without_a_list_allows_all():
    assert any_of([("a", "b"), ("b", "c")]) == ("a", "b", "c")
    assert any_of([("a",), ()]) == any_of([]) == ()


@pytest.mark.parametrize(
    ("patterns", "param"),
    [
        ("openai/*", "allowed_models"),
        ({"openai/*": 1}, "allowed_models"),
        (None, "allowed_models"),
        (["a"] * 201, "allowed_models"),
        (["a", ""], "allowed_models[1]"),
        (["  "], "allowed_models[0]"),
        (["a", "b", "x" * 266], "allowed_models[2]"),
        (["a\0"], "allowed_models[0]"),
        ([7], "allowed_models[0]"),
    ],
)
def test_a_wrong_list_is_refused_by_its_field(patterns, param):
    with pytest.raises(InvalidRequest) as refusal:
        checked_patterns(patterns)
    assert refusal.value.param == param


def test_a_list_is_kept_once_each_and_without_blanks():
    assert checked_patterns([" openai/* ", "fast", "openai/*"]) == ["openai/*", "fast"]
    assert len(checked_patterns([f"m{number}" for number in range(200)])) == 200


def lists_of(owner, key_id):
    return load_identity(owner.tenant.id).keys[key_id].allowed.lists


@pytest.fixture
def owner(make_tenant):
    return make_tenant("allows")


@pytest.fixture
def person(owner):
    made = new_person("dora")
    join(owner, made, "developer")
    return made


@pytest.fixture
def key_id(owner, person):
    return create_api_key(tenant=owner.tenant, name="dora's", created_by=person.id).key_id


def test_without_lists_everything_is_allowed(owner, key_id):
    assert lists_of(owner, key_id) == lists_of(owner, owner.key_id) == ()


def test_a_key_has_a_list_of_its_own_from_the_start_or_later(owner):
    made = create_api_key(tenant=owner.tenant, name="narrow", allowed_models=["fast"]).key_id
    assert lists_of(owner, made) == (("fast",),)
    assert lists_of(owner, owner.key_id) == ()
    set_key_allowed(tenant=owner.tenant, key_id=made, allowed_models=["slow", "openai/*"])
    assert lists_of(owner, made) == (("slow", "openai/*"),)
    set_key_allowed(tenant=owner.tenant, key_id=made, allowed_models=[])
    assert lists_of(owner, made) == ()


def test_a_plan_binds_every_key_of_its_tenants(owner, key_id):
    name = f"plan of {owner.tenant.slug}"
    plan = create_plan(name=name, allowed_models=["openai/*"])
    change_tenant(tenant=owner.tenant, plan=name)
    assert lists_of(owner, key_id) == lists_of(owner, owner.key_id) == (("openai/*",),)
    change_plan(plan_id=plan, name=name, requests_per_minute=5)
    assert lists_of(owner, key_id) == (("openai/*",),)
    change_plan(plan_id=plan, name=name, requests_per_minute=5, allowed_models=[])
    assert lists_of(owner, key_id) == ()


def test_a_role_binds_the_keys_of_those_who_have_it(owner, person, key_id):
    change_tenant(tenant=owner.tenant, allowed_by_role={"developer": ["fast"], "viewer": []})
    assert lists_of(owner, key_id) == (("fast",),)
    assert lists_of(owner, owner.key_id) == ()
    change_role(tenant=owner.tenant, user_id=person.id, role="viewer")
    assert lists_of(owner, key_id) == ()


@pytest.mark.parametrize(
    ("lists", "param"),
    [
        ({"king": ["a"]}, "allowed_by_role"),
        ({"owner": [""]}, "allowed_by_role.owner[0]"),
        ({"owner": "a"}, "allowed_by_role.owner"),
        ([], "allowed_by_role"),
    ],
)
def test_a_wrong_list_of_a_role_is_refused(owner, lists, param):
    with pytest.raises(InvalidRequest) as refusal:
        change_tenant(tenant=owner.tenant, allowed_by_role=lists)
    assert refusal.value.param == param


def test_teams_bind_the_keys_of_their_members(owner, person, key_id):
    narrow = create_team(tenant=owner.tenant, name="narrow", allowed_models=["fast"])
    assert lists_of(owner, key_id) == ()
    add_to_team(tenant=owner.tenant, team_id=narrow, user_id=person.id)
    assert lists_of(owner, key_id) == (("fast",),)
    other = create_team(tenant=owner.tenant, name="other", allowed_models=["slow"])
    add_to_team(tenant=owner.tenant, team_id=other, user_id=person.id)
    assert {frozenset(each) for each in lists_of(owner, key_id)} == {frozenset({"fast", "slow"})}
    remove_from_team(tenant=owner.tenant, team_id=narrow, user_id=person.id)
    assert lists_of(owner, key_id) == (("slow",),)
    set_team_allowed(tenant=owner.tenant, team_id=other, allowed_models=["quick"])
    assert lists_of(owner, key_id) == (("quick",),)
    remove_team(tenant=owner.tenant, team_id=other)
    assert lists_of(owner, key_id) == ()


def test_all_lists_hold_together(owner, person):
    name = f"all of {owner.tenant.slug}"
    create_plan(name=name, allowed_models=["plan*"])
    change_tenant(tenant=owner.tenant, plan=name, allowed_by_role={"developer": ["role*"]})
    team = create_team(tenant=owner.tenant, name="team", allowed_models=["team*"])
    add_to_team(tenant=owner.tenant, team_id=team, user_id=person.id)
    made = create_api_key(tenant=owner.tenant, name="x", allowed_models=["key*"], created_by=person.id)
    assert set(lists_of(owner, made.key_id)) == {("plan*",), ("role*",), ("team*",), ("key*",)}


def test_the_key_of_somebody_who_left_gains_nothing_by_it(owner, person, key_id):
    change_tenant(tenant=owner.tenant, allowed_by_role={"developer": ["fast"]})
    remove_member(tenant=owner.tenant, user_id=person.id)
    assert lists_of(owner, key_id) == ((),)
    change_tenant(tenant=owner.tenant, allowed_by_role={})
    assert lists_of(owner, key_id) == ()


def test_a_key_that_an_operator_made_is_the_tenants_own(owner):
    operator = new_person("operator")
    with platform_scope():
        User.objects.filter(id=operator.id).update(is_staff=True)
    made = create_api_key(tenant=owner.tenant, name="made for them", created_by=operator.id)
    change_tenant(tenant=owner.tenant, allowed_by_role={"developer": ["fast"]})
    assert lists_of(owner, made.key_id) == ()


def test_each_change_raises_the_version(owner, person, key_id):
    name = f"versions of {owner.tenant.slug}"
    plan = create_plan(name=name)
    change_tenant(tenant=owner.tenant, plan=name)
    team = create_team(tenant=owner.tenant, name="t")
    whose = {"tenant": owner.tenant, "user_id": person.id}
    place = {**whose, "team_id": team}
    for change in (
        lambda: set_key_allowed(tenant=owner.tenant, key_id=key_id, allowed_models=["a"]),
        lambda: change_plan(plan_id=plan, name=name, requests_per_minute=None, allowed_models=["a"]),
        lambda: change_tenant(tenant=owner.tenant, allowed_by_role={"developer": ["a"]}),
        lambda: change_tenant(tenant=owner.tenant, request_fallbacks=False),
        lambda: add_to_team(**place),
        lambda: set_team_allowed(tenant=owner.tenant, team_id=team, allowed_models=["a"]),
        lambda: remove_from_team(**place),
        lambda: remove_team(tenant=owner.tenant, team_id=team),
        lambda: change_role(**whose, role="member"),
        lambda: remove_member(**whose),
        lambda: revoke_api_key(tenant=owner.tenant, key_id=key_id),
    ):
        before = load_identity(owner.tenant.id).version
        change()
        assert load_identity(owner.tenant.id).version > before
    assert load_identity(owner.tenant.id).request_fallbacks is False


def test_charlies_teams_and_keys_are_not_acmes_to_bind(cast, owner, key_id):
    team = create_team(tenant=owner.tenant, name="ours")
    for attempt in (
        lambda: set_key_allowed(tenant=cast.globex.tenant, key_id=key_id, allowed_models=["a"]),
        lambda: set_team_allowed(tenant=cast.globex.tenant, team_id=team, allowed_models=["a"]),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert lists_of(owner, key_id) == ()


def test_the_lists_of_one_tenant_bind_nobody_in_another(owner, make_tenant, person):
    other = make_tenant("elsewhere")
    join(other, person, "developer")
    elsewhere = create_api_key(tenant=other.tenant, name="hers", created_by=person.id).key_id
    change_tenant(tenant=owner.tenant, allowed_by_role={"developer": ["fast"]})
    team = create_team(tenant=owner.tenant, name="team", allowed_models=["fast"])
    add_to_team(tenant=owner.tenant, team_id=team, user_id=person.id)
    assert lists_of(other, elsewhere) == ()
