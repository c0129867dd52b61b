"""POST /v1/models/refresh, over real sockets, with vendors that lie."""

import gzip
import json
from dataclasses import replace

import pytest

from console.tests.api_caller import USD, ask, key_with, refused
from providers import refreshing
from providers.actions.credentials import set_credential
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from providers.client import discovery
from providers.models import OfferedModel
from providers.tests.listing_vendor import vendor
from tenants.config_version import redis_client
from tenants.door import tenant_scope
from tenants.identity import redis_tag

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "sk-very-secret-0123456789"


def listing(*ids):
    return json.dumps({"data": [{"id": each} for each in ids]}).encode()


@pytest.fixture
def tenant(make_tenant):
    return make_tenant("refreshing")


@pytest.fixture
def key(tenant):
    return key_with(tenant, "providers:write")


def provider(tenant, name, url, **fields):
    return create_provider(owner=tenant.tenant, name=name, base_url=url, **fields)


def refresh(tenant, key, body=None):
    status, answer = ask(tenant, "models/refresh", key=key, method="post", body=body)
    assert status == 200, answer
    return {row["provider"]: row for row in answer["data"]}


def offered(tenant):
    with tenant_scope(tenant.tenant):
        return {row.name: row for row in OfferedModel.objects.select_related("provider")}


def test_new_models_are_offered_with_what_is_known_of_them(tenant, key):
    with vendor(200, listing("gpt-4o-mini", "my-own")) as (url, asked):
        made = provider(tenant, "own", url, price_provider_id="openai")
        set_credential(owner=tenant.tenant, provider_id=made, secret=SECRET)
        row = refresh(tenant, key)["own"]
    assert row == {
        "provider": "own",
        "status": "refreshed",
        "found": 2,
        "added": 2,
        "added_models": ["gpt-4o-mini", "my-own"],
        "ignored": 0,
        "cut": False,
        "error": None,
        "message": None,
    }
    assert asked == [("/v1/models", f"Bearer {SECRET}")]
    found = offered(tenant)
    assert (found["gpt-4o-mini"].context_window, found["my-own"].context_window) == (128_000, None)
    _, compared = ask(tenant, "models/compare", model_ids="own/gpt-4o-mini")
    assert compared["data"][0]["pricing"]["input"]["usd_per_mtok"] == "0.15"


def test_what_a_person_set_stays_and_nothing_is_withdrawn(tenant, key):
    answer = json.dumps({"data": [{"id": "set", "display_name": "Theirs", "context_length": 5}]}).encode()
    with vendor(200, answer) as (url, _):
        made = provider(tenant, "own", url)
        models = [
            ModelOffer(name="set", display_name="Ours", context_window=9, enabled=False, input_nano_per_mtok=USD,
                       output_nano_per_mtok=USD),
            ModelOffer(name="gone"),
        ]  # fmt: skip
        offer_models(owner=tenant.tenant, provider_id=made, offers=models)
        row = refresh(tenant, key)["own"]
    assert (row["found"], row["added"]) == (1, 0)
    found = offered(tenant)
    assert found.keys() == {"set", "gone"}
    kept = found["set"]
    assert (kept.display_name, kept.context_window, kept.enabled, kept.input_nano_per_mtok) == ("Ours", 9, False, USD)


def test_vendors_that_lie_are_told_beside_those_that_do_not(tenant, key, monkeypatch):
    monkeypatch.setattr(discovery, "LARGEST_LIST", 300_000)
    bomb = gzip.compress(b"[" + b" " * 3_000_000 + b"]")
    with (
        vendor(200, listing("good", "good", "two words", "tab\t")) as (good, _),
        vendor(200, b" " * 2_000_000) as (large, _),
        vendor(200, bomb, headers=[("content-encoding", "gzip")]) as (bombing, _),
        vendor(200, gzip.compress(listing("packed")), headers=[("content-encoding", "gzip")]) as (packing, _),
        vendor(200, b"<html>hello</html>") as (garbled, _),
        vendor(401, b"secret words") as (refusing, _),
        vendor(302, headers=[("location", "http://127.0.0.1/")]) as (leading, _),
    ):
        places = {"good": good, "large": large, "bombing": bombing, "packing": packing, "garbled": garbled}
        for name, url in {**places, "refusing": refusing, "leading": leading}.items():
            provider(tenant, name, url)
        provider(tenant, "gone", "http://127.0.0.1:9")
        provider(tenant, "off", good, enabled=False)
        rows = refresh(tenant, key)
    assert (rows["good"]["added_models"], rows["good"]["found"], rows["good"]["ignored"]) == (["good"], 1, 2)
    assert rows["packing"]["added_models"] == ["packed"]
    assert {name: row["error"] for name, row in rows.items() if row["status"] == "failed"} == {
        "large": "upstream_garbled",
        "bombing": "upstream_garbled",
        "garbled": "upstream_garbled",
        "refusing": "upstream_credential",
        "leading": "upstream_refused",
        "gone": "upstream_unreachable",
    }
    assert "secret words" not in json.dumps(rows)
    assert "off" not in rows


def test_a_body_that_never_ends_is_given_up(tenant, key, monkeypatch):
    monkeypatch.setattr(refreshing, "SECONDS_FOR_ALL", 0.5)
    with vendor(200, b'{"data":[', slow=True) as (slow, _), vendor(200, listing("quick")) as (quick, _):
        provider(tenant, "slow", slow)
        provider(tenant, "quick", quick)
        rows = refresh(tenant, key)
    assert (rows["slow"]["error"], rows["quick"]["added"]) == ("upstream_timeout", 1)


def test_only_those_that_are_named_are_asked(tenant, key):
    with vendor(200, listing("m")) as (url, asked):
        provider(tenant, "one", url)
        provider(tenant, "two", url, enabled=False)
        assert refresh(tenant, key, {"providers": ["two"]}).keys() == {"two"}
    assert len(asked) == 1
    options = {"key": key, "method": "post"}
    assert refused(tenant, "models/refresh", body={"providers": ["nobody"]}, **options) == (
        404,
        "not_found",
        "providers",
    )


def test_a_tenant_without_providers_has_nothing_to_refresh(tenant, key):
    assert refresh(tenant, key) == {}


def test_charlie_cannot_have_acmes_providers_asked(tenant, make_tenant):
    other = make_tenant("charlies")
    with vendor(200, listing("m")) as (url, asked):
        provider(tenant, "acmes", url)
        theirs = key_with(other, "providers:write")
        assert refresh(other, theirs) == {}
        assert refused(other, "models/refresh", key=theirs, method="post", body={"providers": ["acmes"]})[0] == 404
    assert asked == []


def test_one_refresh_at_a_time(tenant, key):
    redis_client().set(redis_tag(tenant.tenant.id) + ":model-refresh", "1", ex=60)
    assert refused(tenant, "models/refresh", key=key, method="post")[:2] == (409, "refresh_under_way")
    redis_client().delete(redis_tag(tenant.tenant.id) + ":model-refresh")
    assert refresh(tenant, key) == {}


def test_a_key_without_the_scope_is_refused(tenant):
    narrow = key_with(tenant, "models:read")
    assert refused(tenant, "models/refresh", key=narrow, method="post")[:2] == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"providers": "own"}, "providers"),
        ({"providers": []}, "providers"),
        ({"providers": [7, {}]}, "providers[1]"),
        ({"provider": ["own"]}, "provider"),
        ([], None),
    ],
)
def test_what_is_wrong_is_named(tenant, key, body, named):
    assert refused(tenant, "models/refresh", key=key, method="post", body=body) == (400, "invalid_request", named)


def test_a_url_that_leads_inside_is_not_asked(tenant, key, settings):
    """The rules may have become stricter since the provider was made."""
    with vendor(200, listing("m")) as (url, asked):
        provider(tenant, "inside", url)
        settings.ENVIRONMENT = replace(settings.ENVIRONMENT, egress_allow=(), orchestrator_env="production")
        row = refresh(tenant, key)["inside"]
    assert (row["error"], asked) == ("upstream_unreachable", [])
