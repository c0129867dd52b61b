"""The operators' pages: they work, they act, and they never show a digest."""

import base64
import re
import secrets

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client, override_settings
from django.urls import reverse

from tenants import snapshots
from tenants.actions.people import add_member
from tenants.actions.tenants import set_tenant_state
from tenants.admin_scope import PlatformAdminSite
from tenants.door import platform_scope
from tenants.models import ApiKey, Domain, Membership, Plan, Team, TeamMember, Tenant, User
from tenants.tests.cast import PASSWORD, new_person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tenants.tests.urls")]

MODELS = (ApiKey, Domain, Membership, Plan, Team, TeamMember, Tenant, User)


@pytest.fixture(autouse=True)
def these_urls():
    with override_settings(PUBLIC_SCHEMA_URLCONF="tenants.tests.urls"):
        yield


def url(model, page, *args):
    return reverse(f"admin:tenants_{model._meta.model_name}_{page}", args=args)


def a_row(model):
    with platform_scope():
        return model.objects.first()


def test_the_site_is_ours():
    # `admin.site` stands for the configured class and answers as one of it.
    assert isinstance(admin.site, PlatformAdminSite)


@pytest.mark.parametrize("model", MODELS)
def test_pages_answer(operator, cast, model):
    assert operator.get(url(model, "changelist")).status_code == 200
    assert operator.get(url(model, "changelist"), {"q": "acme"}).status_code == 200
    assert operator.get(url(model, "add")).status_code == 200
    row = a_row(model)
    if row is not None:
        assert operator.get(url(model, "change", row.pk)).status_code == 200


def test_a_member_is_no_operator(cast):
    client = Client(headers={"host": "localhost"})
    assert client.login(username=cast.alice.email, password=PASSWORD)
    assert client.get(url(Tenant, "changelist")).status_code == 302


@override_settings(ROOT_URLCONF="tenants.tests.urls")
def test_the_admin_is_not_on_a_tenants_host(operator, cast):
    assert operator.get(url(Tenant, "changelist"), headers={"host": cast.acme.host}).status_code == 302


def test_a_tenant_is_made_changed_and_suspended(operator):
    slug = f"made-{Tenant().id.hex[-8:]}"
    answer = operator.post(
        url(Tenant, "add"),
        {"slug": slug, "name": "Made", "time_zone": "Europe/Berlin", "plan": "", "default_model": ""},
    )
    assert answer.status_code == 302
    tenant = snapshots.find_tenant(slug)
    assert tenant is not None
    operator.post(
        url(Tenant, "change", tenant.id), {"name": "Other", "time_zone": "UTC", "plan": "", "default_model": "a/b"}
    )
    operator.post(url(Tenant, "changelist"), {"action": "suspend", "_selected_action": [str(tenant.id)]})
    identity = snapshots.load_identity(tenant.id)
    assert (identity.state, identity.time_zone, identity.default_model) == ("suspended", "UTC", "a/b")


def test_a_refusal_is_shown_and_nothing_is_kept(operator):
    slug = f"bad-{Tenant().id.hex[-8:]}"
    answer = operator.post(
        url(Tenant, "add"), {"slug": slug, "name": "Bad", "time_zone": "Mars/X", "plan": ""}, follow=True
    )
    assert "Time zone: " in answer.content.decode()
    assert snapshots.find_tenant(slug) is None


def test_a_key_is_shown_once_and_its_digest_never(operator, make_tenant):
    made_for = make_tenant("keys")
    answer = operator.post(
        url(ApiKey, "add"),
        {"tenant": str(made_for.tenant.id), "name": "by hand", "scopes": ["models:read"]},
    )
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    text = re.search(r"orc_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}", answer.content.decode())
    assert text is not None
    assert not any(text[0].split("_")[2] in cookie.value for cookie in answer.client.cookies.values())
    assert text[0] not in operator.get(url(ApiKey, "changelist")).content.decode()
    with platform_scope():
        row = ApiKey.objects.get(name="by hand", tenant_id=made_for.tenant.id)
    assert row.scopes == ["models:read"]
    spellings = [bytes(row.digest).hex(), base64.b64encode(row.digest).decode(), repr(bytes(row.digest)), text[0]]
    for page in (url(ApiKey, "changelist"), url(ApiKey, "change", row.pk)):
        content = operator.get(page).content.decode()
        assert row.key_id in content
        assert not [spelling for spelling in (*spellings, "digest") if spelling in content]


def test_a_key_is_revoked_not_edited_or_deleted(operator, make_tenant):
    made = make_tenant("keys")
    operator.post(url(ApiKey, "change", made.key_uuid), {"name": "edited", "digest": "x", "key_id": "other"})
    assert operator.get(url(ApiKey, "delete", made.key_uuid)).status_code == 403
    assert snapshots.find_tenant_of_key(made.key_id) == made.tenant.id
    operator.post(url(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [str(made.key_uuid)]})
    assert snapshots.find_tenant_of_key(made.key_id) is None
    with platform_scope():
        assert ApiKey.objects.get(id=made.key_uuid).name == "test"


def test_people_teams_and_plans(operator, make_tenant):
    made = make_tenant("people")
    email = f"new-{made.tenant.slug}@example.com"
    operator.post(url(User, "add"), {"email": email, "name": "New", "password": "a long enough phrase"})
    with platform_scope():
        user = User.objects.get(email=email)
    assert user.check_password("a long enough phrase")
    tenant_id = str(made.tenant.id)
    operator.post(url(Membership, "add"), {"user": str(user.id), "tenant": tenant_id, "role": "owner"})
    operator.post(url(Team, "add"), {"tenant": tenant_id, "name": "Core"})
    with platform_scope():
        membership = Membership.objects.get(user=user, tenant_id=tenant_id)
        team = Team.objects.get(tenant_id=tenant_id)
    operator.post(url(TeamMember, "add"), {"team": str(team.id), "membership": str(membership.id)})
    refused = operator.post(url(Membership, "change", membership.id), {"role": "viewer"}, follow=True)
    assert "at least one owner" in refused.content.decode()
    operator.post(url(Plan, "add"), {"name": f"Plan {tenant_id}", "requests_per_minute": "7"})
    operator.post(url(Domain, "add"), {"tenant": tenant_id, "host": f"chat.{made.tenant.slug}.example"})
    with platform_scope():
        assert TeamMember.objects.get(team=team).membership_id == membership.id
        assert Membership.objects.get(id=membership.id).role == "owner"
        assert Plan.objects.get(name=f"Plan {tenant_id}").requests_per_minute == 7
    assert snapshots.tenant_of_host(f"chat.{made.tenant.slug}.example") == made.tenant


def test_a_refused_removal_undoes_the_whole_action(operator, make_tenant):
    """The viewer comes first in the list and could be removed; the last owner could not."""
    made = make_tenant("refused")
    owner, viewer = new_person("owner"), new_person("viewer")
    ids = [
        str(add_member(tenant=made.tenant, user_id=person.id, role=role))
        for person, role in ((owner, "owner"), (viewer, "viewer"))
    ]
    answer = operator.post(
        url(Membership, "changelist"),
        {"action": "delete_selected", "_selected_action": ids, "post": "yes"},
        follow=True,
    )
    text = answer.content.decode()
    assert "at least one owner" in text
    assert "Successfully deleted" not in text
    with platform_scope():
        assert Membership.objects.filter(id__in=ids).count() == 2
        assert not LogEntry.objects.filter(object_id__in=ids).exists()


def test_a_refused_step_undoes_the_steps_before_it_and_tells_of_none(operator, make_tenant):
    first, second = make_tenant("aa-step"), make_tenant("zz-step")
    set_tenant_state(tenant=second.tenant, state="suspended")
    ids = [str(first.tenant.id), str(second.tenant.id)]
    answer = operator.post(url(Tenant, "changelist"), {"action": "suspend", "_selected_action": ids}, follow=True)
    text = answer.content.decode()
    assert "cannot become suspended" in text
    assert "is suspended now" not in text
    assert snapshots.load_identity(first.tenant.id).state == "active"


def guess(email, password, address):
    form = {"username": email, "password": password}
    client = Client(headers={"host": "localhost"}, REMOTE_ADDR=address)
    return client.post("/admin/login/", form)


def test_operators_sign_in_but_not_by_guessing(cast):
    person = new_person("guessed")
    with platform_scope():
        User.objects.filter(id=person.id).update(is_staff=True, is_superuser=True)
    for _ in range(7):
        assert guess(person.email.upper(), PASSWORD, "198.51.100.1").status_code == 302
    # The account is counted from wherever the guesses come …
    shown = [guess(person.email, "wrong", f"198.51.100.{number}") for number in range(2, 9)]
    assert "Please enter the correct" in shown[0].content.decode()
    assert guess(person.email, PASSWORD, "198.51.100.20").status_code == 200
    assert "Too many failed" in shown[-1].content.decode()


def test_an_address_that_guesses_at_many_accounts_is_counted_too(cast):
    address = f"198.51.100.{100 + secrets.randbelow(100)}"
    shown = [guess(f"nobody-{secrets.token_hex(8)}@example.com", "wrong", address) for _ in range(12)]
    assert "Please enter the correct" in shown[0].content.decode()
    assert "Too many failed" in shown[-1].content.decode()


def test_a_weak_password_is_refused(operator):
    answer = operator.post(url(User, "add"), {"email": "weak@example.com", "password": "password"}, follow=True)
    assert "Password: " in answer.content.decode()


def test_lists_of_what_may_be_asked_for_are_shown_and_edited(operator, make_tenant):
    made = make_tenant("lists")
    operator.post(url(ApiKey, "change", made.key_uuid), {"allowed_models": "openai/*,fast"})
    assert "openai/*,fast" in operator.get(url(ApiKey, "change", made.key_uuid)).content.decode()
    operator.post(url(Team, "add"), {"tenant": str(made.tenant.id), "name": "Core", "allowed_models": "a"})
    with platform_scope():
        team = Team.objects.get(tenant_id=made.tenant.id)
    assert team.allowed_models == ["a"]
    operator.post(url(Team, "change", team.id), {"allowed_models": "b"})
    plan = f"Plan of {made.tenant.slug}"
    operator.post(url(Plan, "add"), {"name": plan, "allowed_models": "c"})
    fields = {"name": "X", "time_zone": "UTC", "default_model": ""}
    lists = {"allowed_by_role": '{"viewer": ["d"]}', "request_fallbacks": "on"}
    operator.post(url(Tenant, "change", made.tenant.id), {**fields, **lists})
    with platform_scope():
        assert ApiKey.objects.get(id=made.key_uuid).allowed_models == ["openai/*", "fast"]
        assert Team.objects.get(id=team.id).allowed_models == ["b"]
        assert Plan.objects.get(name=plan).allowed_models == ["c"]
        tenant = Tenant.objects.get(id=made.tenant.id)
    assert (tenant.allowed_by_role, tenant.request_fallbacks) == ({"viewer": ["d"]}, True)
    operator.post(url(Tenant, "change", made.tenant.id), {**fields, "allowed_by_role": ""})
    with platform_scope():
        tenant = Tenant.objects.get(id=made.tenant.id)
    assert (tenant.allowed_by_role, tenant.request_fallbacks) == ({}, False)


def test_a_wrong_list_is_refused_by_its_page(operator, make_tenant):
    made = make_tenant("lists")
    long = operator.post(url(ApiKey, "change", made.key_uuid), {"allowed_models": "x" * 266})
    many = operator.post(url(ApiKey, "change", made.key_uuid), {"allowed_models": ",".join("a" * 201)}, follow=True)
    assert "265" in long.content.decode()
    assert "a list has at most 200" in many.content.decode()
    with platform_scope():
        assert ApiKey.objects.get(id=made.key_uuid).allowed_models == []
