"""What is kept of changes to a configuration, and what never is."""

import contextlib

import pytest
from django.core.signals import request_finished

from common.errors import InvalidRequest
from common.ids import new_id
from providers import history
from providers.actions.credentials import change_credential, delete_credential, set_credential
from providers.actions.discovered import offer_discovered
from providers.actions.models import ModelOffer, change_model, offer_models, withdraw_model
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.actions.routes import change_route, create_route, delete_route
from providers.actions.templates import create_template, delete_template
from providers.history import history_document
from providers.models import OfferedModel
from providers.scope import owner_scope
from providers.tests.callers import OWN_TEMPLATE
from providers.wire.model_list import ListedModel

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sk-never-to-be-seen"


@pytest.fixture
def acme(make_tenant):
    return make_tenant("acme").tenant


def create(owner, name="vendor"):
    return create_provider(owner=owner, name=name, base_url="http://127.0.0.1:9/v1")


def told(owner):
    """The oldest first, as (kind, name, action, fields)."""
    return [
        (each["kind"], each["name"], each["action"], each["fields"]) for each in reversed(history_document(owner=owner))
    ]


def test_every_kind_of_change_is_told_by_its_fields_and_without_values(acme):
    provider = create(acme)
    change_provider(owner=acme, provider_id=provider, base_url="http://127.0.0.1:9/v2", enabled=False)
    credential = set_credential(owner=acme, provider_id=provider, secret=SECRET)
    set_credential(owner=acme, provider_id=provider, secret=SECRET + "2")
    change_credential(owner=acme, credential_id=credential, position=3)
    delete_credential(owner=acme, credential_id=credential)
    offer_models(owner=acme, provider_id=provider, offers=[ModelOffer(name="m")])
    with owner_scope(acme):
        model = OfferedModel.objects.get(name="m").id
    priced = ModelOffer(name="m", context_window=9, input_nano_per_mtok=1, output_nano_per_mtok=2)
    change_model(owner=acme, model_id=model, offer=priced)
    withdraw_model(owner=acme, model_id=model)
    route = create_route(owner=acme, name="fast", targets=["vendor/m"])
    change_route(owner=acme, route_id=route, targets=["vendor/n"], enabled=False)
    delete_route(owner=acme, route_id=route)
    create_template(owner=acme, document=OWN_TEMPLATE)
    delete_template(owner=acme, name="in-house")
    delete_provider(owner=acme, provider_id=provider)
    assert told(acme) == [
        ("provider", "vendor", "created", []),
        ("provider", "vendor", "updated", ["base_url", "enabled"]),
        ("credential", "vendor/default", "created", []),
        ("credential", "vendor/default", "updated", ["secret"]),
        ("credential", "vendor/default", "updated", ["position"]),
        ("credential", "vendor/default", "removed", []),
        ("model", "vendor/m", "created", []),
        ("model", "vendor/m", "updated", ["context_window", "input_nano_per_mtok", "output_nano_per_mtok"]),
        ("model", "vendor/m", "removed", []),
        ("route", "fast", "created", []),
        ("route", "fast", "updated", ["enabled", "targets"]),
        ("route", "fast", "removed", []),
        ("template", "in-house", "created", []),
        ("template", "in-house", "removed", []),
        ("provider", "vendor", "removed", []),
    ]
    assert "never-to-be-seen" not in str(history_document(owner=acme))


def test_what_changes_nothing_or_is_undone_is_not_told(acme):
    provider = create(acme)
    change_provider(owner=acme, provider_id=provider, enabled=True)
    set_credential(owner=acme, provider_id=provider, secret=SECRET)
    set_credential(owner=acme, provider_id=provider, secret=SECRET)
    with contextlib.suppress(ZeroDivisionError), owner_scope(acme):
        create(acme, "undone")
        raise ZeroDivisionError
    with pytest.raises(InvalidRequest):
        change_provider(owner=acme, provider_id=provider, base_url="nonsense")
    assert [name for _, name, *_ in told(acme)] == ["vendor", "vendor/default"]


def test_the_oldest_make_room_for_the_newest(acme, monkeypatch):
    monkeypatch.setattr(history, "MOST_KEPT", 3)
    provider = create(acme)
    for interval in (61, 62, 63, 64):
        change_provider(owner=acme, provider_id=provider, health_interval_seconds=interval)
    assert [action for *_, action, _ in told(acme)] == ["updated"] * 3


def test_a_whole_list_of_models_is_one_change(acme):
    provider = create(acme)
    offer_discovered(owner=acme, provider_id=provider, models=[ListedModel(f"m{each}") for each in range(50)])
    assert told(acme)[1:] == [("model", "vendor/*", "updated", [])]


def test_each_owner_has_a_history_of_its_own(acme, make_tenant):
    create(acme)
    name = f"platforms-{new_id().hex[-12:]}"
    delete_provider(owner=None, provider_id=create(None, name))
    assert told(make_tenant("globex").tenant) == []
    assert [name for _, name, *_ in told(acme)] == ["vendor"]
    assert told(None)[-2:] == [("provider", name, "created", []), ("provider", name, "removed", [])]


def test_an_export_tells_it_when_asked_and_by_whom(alice, charlie):
    body = {"name": "vendor", "base_url": "https://api.vendor.example/v1", "models": ["m"], "secret": SECRET}
    assert alice("post", "providers", body)[0] == 201
    request_finished.send(None)
    create(alice.tenant, "by-command")

    assert "history" not in alice("get", "config/export")[1]
    assert alice("get", "config/export?history=maybe")[1]["error"]["param"] == "history"
    status, document = alice("get", "config/export?history=true")
    assert status == 200
    assert [(each["kind"], each["name"], each["by"] is None) for each in document["history"]] == [
        ("provider", "by-command", True),
        ("model", "vendor/m", False),
        ("credential", "vendor/default", False),
        ("provider", "vendor", False),
    ]
    assert {each["by"].split(":")[0] for each in document["history"][1:]} <= {"user", "key"}

    assert charlie("post", "config/import", {"config": document})[0] == 200
    names = [each["name"] for each in charlie("get", "config/export?history=true")[1]["history"]]
    assert sorted(names) == ["by-command", "vendor", "vendor/m"]
