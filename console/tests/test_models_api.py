"""GET /v1/models/providers, /search and /compare."""

from datetime import timedelta

import pytest

from console.tests.api_caller import USD, ask, key_with, offer, refused, used
from providers.actions.models import ModelOffer
from providers.actions.providers import delete_provider
from providers.actions.routes import create_route
from providers.card_search import search
from providers.catalogue import ModelCard
from tenants.actions.api_keys import create_api_key, set_key_allowed

pytestmark = pytest.mark.django_db(transaction=True)
PATHS = ("models/providers", "models/search", "models/compare")


@pytest.fixture
def tenant(make_tenant):
    """With a provider of its own that has three models, and one that has none."""
    made = make_tenant("models")
    offer(
        made.tenant,
        "own",
        ModelOffer(name="seer", display_name="The Seer", context_window=128_000, capabilities=("vision", "tools")),
        ModelOffer(name="seer-mini", input_nano_per_mtok=USD // 10, output_nano_per_mtok=2 * USD),
        ModelOffer(name="org/other", display_name="Sees nothing"),
    )
    offer(made.tenant, "empty")
    return made


@pytest.fixture
def platform_provider():
    made = offer(None, "shared-house", ModelOffer(name="common"))
    yield "shared-house"
    delete_provider(owner=None, provider_id=made)


def providers(tenant):
    status, answer = ask(tenant, "models/providers")
    assert status == 200
    return {row["name"]: row for row in answer["data"]}


def test_providers_are_told_with_their_models_and_the_last_day(tenant, platform_provider):
    used(tenant, asked={"provider": "own", "provider_scope": "tenant"}, duration_ms=80)
    used(tenant, ago=timedelta(hours=25), asked={"provider": "own", "provider_scope": "tenant"})
    used(tenant, asked={"provider": "own", "provider_scope": "platform"})
    found = providers(tenant)
    assert (found["own"]["scope"], found["own"]["models"]) == ("tenant", 3)
    assert found["own"]["statistics"]["requests"] == 1
    assert found["own"]["statistics"]["latency_ms"]["p95"] == 80
    assert (found["empty"]["models"], found["empty"]["statistics"]["requests"]) == (0, 0)
    assert (found[platform_provider]["scope"], found[platform_provider]["models"]) == ("platform", 1)


def test_a_provider_of_ones_own_hides_the_platforms(tenant, platform_provider):
    offer(tenant.tenant, platform_provider)
    found = providers(tenant)[platform_provider]
    assert (found["scope"], found["models"]) == ("tenant", 0)


def test_charlie_sees_nothing_of_acme(cast, make_tenant):
    acme, globex = make_tenant("acme-too"), cast.globex
    offer(acme.tenant, "acmes-own", ModelOffer(name="secret-model"))
    assert "acmes-own" in providers(acme)
    assert "acmes-own" not in providers(globex)
    assert ask(acme, "models/search", q="secret-model")[1]["data"]
    assert ask(globex, "models/search", q="secret-model")[1]["data"] == []
    name = "acmes-own/secret-model"
    assert ask(acme, "models/compare", model_ids=name)[0] == 200
    assert refused(globex, "models/compare", model_ids=name) == (404, "model_not_found", "model_ids")


def names(tenant, **query):
    status, answer = ask(tenant, "models/search", **query)
    assert status == 200, answer
    return [each["id"] for each in answer["data"] if each["provider"] == "own"]


def test_a_search_finds_the_closest_first(tenant):
    assert names(tenant, q="seer") == ["own/seer", "own/seer-mini"]
    assert names(tenant, q="SEES  nothing") == ["own/org/other"]
    assert names(tenant, q="own mini") == ["own/seer-mini"]
    assert names(tenant, q="own/org/other") == ["own/org/other"]
    assert names(tenant, q="own unheard-of") == []


def test_a_search_takes_the_filters_of_the_list(tenant):
    assert names(tenant, q="own", modality="image") == ["own/seer"]
    assert names(tenant, q="own", max_input_price="0.1") == ["own/seer-mini"]
    assert names(tenant, q="own", provider="own", min_context="1000") == ["own/seer"]


def test_a_search_is_paged(tenant):
    _, first = ask(tenant, "models/search", q="own/", limit="2")
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (["own/org/other", "own/seer"], True)
    _, rest = ask(tenant, "models/search", q="own/", limit="2", after="own/seer")
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (["own/seer-mini"], False)


def test_the_order_of_a_search_is_the_same_whatever_the_order_of_the_cards():
    cards = [
        ModelCard(id=name, provider="p", owned_by="p", created=0) for name in ("p/b", "p/ab", "p/a", "q/a", "p/ba")
    ]
    expected = ["p/a", "q/a", "p/ab", "p/ba"]
    assert [card.id for card in search(cards, "a")] == expected
    assert [card.id for card in search(cards[::-1], " A ")] == expected


def test_models_are_compared_by_price_window_and_what_was_seen(tenant):
    for duration, outcome in ((100, "completed"), (300, "completed"), (900, "failed")):
        used(
            tenant,
            ago=timedelta(days=2),
            asked={"provider": "own", "provider_scope": "tenant", "model": "seer-mini", "stream": True},
            duration_ms=duration,
            time_to_first_chunk_ms=duration // 2,
            outcome=outcome,
        )
    status, answer = ask(tenant, "models/compare", model_ids="own/seer-mini, own/seer,own/seer-mini")
    assert (status, answer["period"]) == (200, "7d")
    mini, seer = answer["data"]
    assert (mini["id"], mini["pricing"]["input"]) == (
        "own/seer-mini",
        {"nano_usd_per_mtok": USD // 10, "usd_per_mtok": "0.10"},
    )
    observed = mini["observed"]
    assert (observed["latency_ms"]["p50"], observed["latency_ms"]["p95"]) == (100, 300)
    assert (observed["time_to_first_chunk_ms"]["p95"], observed["error_rate"]) == (150, 0.333333)
    assert (seer["id"], seer["context_window"], seer["capabilities"], seer["modalities"], seer["pricing"]) == (
        "own/seer",
        128_000,
        ["vision", "tools"],
        ["text", "image"],
        None,
    )
    assert seer["observed"]["error_rate"] is None


def test_a_route_is_compared_by_its_first_target(tenant):
    create_route(owner=tenant.tenant, name="own/seer-mini", targets=["own/seer", "own/org/other"])
    (row,) = ask(tenant, "models/compare", model_ids="own/seer-mini")[1]["data"]
    assert (row["requested"], row["id"], row["scope"]) == ("own/seer-mini", "own/seer", "tenant")


def test_an_unknown_model_is_named(tenant):
    status, answer = ask(tenant, "models/compare", model_ids="own/seer,own/nobody")
    assert (status, answer["error"]["param"]) == (404, "model_ids")
    assert "'own/nobody'" in answer["error"]["message"]


def test_a_key_finds_and_compares_what_it_may_ask_for(tenant):
    create_route(owner=tenant.tenant, name="fast", targets=["own/seer"])
    narrow = create_api_key(tenant=tenant.tenant, name="narrow")
    set_key_allowed(tenant=tenant.tenant, key_id=narrow.key_id, allowed_models=["own/seer-mini", "fast"])
    found = ask(tenant, "models/search", key=narrow.text, q="own")[1]["data"]
    assert [each["id"] for each in found] == ["own/seer-mini", "fast"]
    (row,) = ask(tenant, "models/compare", key=narrow.text, model_ids="fast")[1]["data"]
    assert row["id"] == "own/seer"
    for name in ("own/seer", "seer"):
        told = refused(tenant, "models/compare", key=narrow.text, model_ids=name)
        assert told == (403, "model_not_allowed", "model_ids")
    _, said = ask(tenant, "models/compare", key=narrow.text, model_ids="nobody")
    assert said["error"]["message"].endswith("Available models: fast, own/seer-mini.")


@pytest.mark.parametrize("path", PATHS)
def test_a_key_without_the_scope_is_refused(tenant, path):
    assert refused(tenant, path, key=key_with(tenant, "usage:read"))[:2] == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("models/providers", {"colour": "red"}, "colour"),
        ("models/search", {}, "q"),
        ("models/search", {"q": " "}, "q"),
        ("models/search", {"q": "x" * 201}, "q"),
        ("models/search", {"q": "x", "limit": "101"}, "limit"),
        ("models/search", {"q": "x", "after": "own/nobody"}, "after"),
        ("models/search", {"q": "x", "modality": "smell"}, "modality"),
        ("models/compare", {}, "model_ids"),
        ("models/compare", {"model_ids": "a,,b"}, "model_ids"),
        ("models/compare", {"model_ids": ",".join("abcdefghijklmnopqrstu")}, "model_ids"),
        ("models/compare", {"ids": "a"}, "ids"),
    ],
)
def test_what_is_wrong_is_named(tenant, path, query, named):
    assert refused(tenant, path, **query) == (400, "invalid_request", named)
