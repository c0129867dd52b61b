"""The commands, as an operator types them."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tenants import keys, snapshots
from tenants.actions.people import find_user

pytestmark = pytest.mark.django_db(transaction=True)


def say(*arguments):
    output = StringIO()
    call_command(*arguments, stdout=output, no_color=True)
    return output.getvalue()


def refusal(*arguments):
    with pytest.raises(CommandError) as error:
        say(*arguments)
    return str(error.value)


@pytest.fixture
def slug():
    return f"typed-{uuid4().hex[:10]}"


def test_a_tenant_its_key_and_its_end(slug, cast):
    said = say(
        "create_tenant", slug, "--name", "Typed", "--time-zone", "Europe/Berlin", "--host", f"{slug}.example.com"
    )
    tenant = snapshots.find_tenant(slug)
    assert tenant is not None
    assert str(tenant.id) in said
    assert f"create_api_key {slug}" in said
    assert snapshots.tenant_of_host(f"{slug}.example.com") == tenant

    said = say("create_api_key", slug, "--name", "first", "--scope", "models:read", "--user", cast.alice.email)
    text = next(line for line in said.splitlines() if line.startswith("orc_"))
    key_id = keys.parse(text).key_id
    record = snapshots.load_identity(tenant.id).keys[key_id]
    assert (record.scopes, record.user_id) == (frozenset({"models:read"}), find_user(cast.alice.email))
    assert f"revoke_api_key {slug} {key_id}" in said

    assert key_id in say("revoke_api_key", slug, text)
    assert snapshots.load_identity(tenant.id).keys == {}
    assert "is suspended now" in say("set_tenant_state", slug, "suspended")
    assert snapshots.load_identity(tenant.id).state == "suspended"


def test_a_key_for_scripts_is_printed_alone(cast):
    said = say(
        "create_api_key",
        cast.acme.tenant.slug,
        "--quiet",
        "--expires-in-days",
        "1",
        "--requests-per-minute",
        "9",
        "--allow",
        "a/*",
    )
    assert keys.parse(said.removesuffix("\n"))


def test_refusals_name_the_field(slug, cast):
    acme = cast.acme.tenant.slug
    assert refusal("create_tenant", "Bad_Slug").startswith("slug: ")
    assert refusal("create_tenant", acme).startswith("slug: ")
    assert refusal("create_tenant", slug, "--time-zone", "Nowhere").startswith("time_zone: ")
    assert refusal("create_tenant", slug, "--plan", "none").startswith("plan: ")
    assert refusal("create_api_key", slug).startswith("tenant: ")
    assert refusal("create_api_key", acme, "--scope", "all").startswith("scopes: ")
    assert refusal("create_api_key", acme, "--allow", " ").startswith("allowed_models[0]: ")
    assert refusal("create_api_key", acme, "--user", "nobody@example.com").startswith("user: ")
    assert refusal("create_api_key", acme, "--expires-in-days", "-1").startswith("expires_at: ")
    assert refusal("revoke_api_key", acme, "0000").startswith("key_id: ")
    assert refusal("set_tenant_state", acme, "asleep").startswith("state: ")
    assert refusal("set_tenant_state", acme, "active").startswith("state: ")
