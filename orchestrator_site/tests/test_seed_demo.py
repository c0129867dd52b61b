"""The demonstration's data: made once, kept, and never in production."""

import json
import stat
from dataclasses import replace

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from common.ids import new_id
from orchestrator_site import demo_tenants
from tenants.actions.api_keys import revoke_api_key
from tenants.api_authentication import identify
from tenants.keys import parse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own_names(monkeypatch):
    """The rows stay in the database, so every test has people and tenants of its own."""
    mark = new_id().hex[-12:]

    def renamed(person):
        return replace(person, email=f"{mark}-{person.email}")

    monkeypatch.setattr(demo_tenants, "OPERATOR", renamed(demo_tenants.OPERATOR))
    monkeypatch.setattr(
        demo_tenants,
        "TENANTS",
        tuple(
            replace(each, slug=f"{each.slug}-{mark}", people=tuple(renamed(person) for person in each.people))
            for each in demo_tenants.TENANTS
        ),
    )


def seeded(path):
    call_command("seed_demo", "--output", str(path), verbosity=0)
    return json.loads(path.read_text())


def test_everybody_can_sign_in_and_every_key_works(own_names, tmp_path):
    made = seeded(tmp_path / "demo.json")
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert made["base_url"] == f"http://localhost:{settings.ENVIRONMENT.port}"
    operator = authenticate(username=made["operator"]["email"], password=made["operator"]["password"])
    assert operator is not None
    assert operator.is_staff
    assert len(made["tenants"]) == 2
    for tenant in made["tenants"]:
        assert tenant["host"] == f"{tenant['slug']}.localhost"
        assert identify(tenant["api_key"]).tenant.slug == tenant["slug"]
        assert [user["role"] for user in tenant["users"]] == ["owner", "member"]
        for user in tenant["users"]:
            person = authenticate(username=user["email"], password=user["password"])
            assert person is not None
            assert not person.is_staff


def test_a_second_run_changes_nothing(own_names, tmp_path):
    assert seeded(tmp_path / "demo.json") == seeded(tmp_path / "demo.json")


def test_what_was_lost_or_revoked_is_made_anew_and_the_rest_kept(own_names, tmp_path):
    first = seeded(tmp_path / "demo.json")
    acme, globex = first["tenants"]
    revoke_api_key(tenant=identify(acme["api_key"]).tenant, key_id=parse(acme["api_key"]).key_id)
    again = seeded(tmp_path / "demo.json")
    assert again["tenants"][0]["api_key"] != acme["api_key"]
    assert identify(again["tenants"][0]["api_key"]).tenant.slug == acme["slug"]
    assert again["tenants"][1] == globex
    assert again["operator"] == first["operator"]


def test_a_file_that_is_gone_or_broken_means_new_secrets_for_the_same_people(own_names, tmp_path):
    path = tmp_path / "demo.json"
    first = seeded(path)
    path.write_text('{"operator": ')
    again = seeded(path)
    assert again["operator"]["email"] == first["operator"]["email"]
    assert again["operator"]["password"] != first["operator"]["password"]
    assert authenticate(username=again["operator"]["email"], password=again["operator"]["password"]) is not None
    assert authenticate(username=first["operator"]["email"], password=first["operator"]["password"]) is None


def test_not_in_production(settings, tmp_path):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        seeded(tmp_path / "demo.json")
    assert not (tmp_path / "demo.json").exists()
