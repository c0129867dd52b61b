"""GET /v1/models with a query, and the words in the place of a model's name that are the control plane's."""

import asyncio

import pytest

from common.errors import InvalidRequest
from gateway.edge.model_query import parse_model_query
from gateway.edge.routes import find_route
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from providers.catalogue import ModelCard
from providers.prices import Price, Tier
from providers.shown_prices import shown_price

USD = 10**9


def card(name, *, window=None, capabilities=(), modalities=("text",), usd=None):
    price = None if usd is None else Price("t", (Tier(0, int(usd * USD)),), (Tier(0, int(usd * 4 * USD)),))
    return ModelCard(
        id=name,
        provider=name.partition("/")[0],
        owned_by="x",
        created=0,
        context_window=window,
        capabilities=capabilities,
        modalities=modalities,
        pricing=shown_price(price),
    )


CARDS = (
    card("a/cheap", window=8_000, usd=0.1),
    card("a/seer", window=128_000, capabilities=("tools", "vision"), modalities=("text", "image"), usd=2.5),
    card("b/free", window=32_000, capabilities=("tools",), usd=0),
    card("b/unpriced", capabilities=("tools",)),
)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (b"provider=a", ["a/cheap", "a/seer"]),
        (b"provider=a,b&capability=tools", ["a/seer", "b/free", "b/unpriced"]),
        (b"capability=tools&capability=vision", ["a/seer"]),
        (b"modality=image", ["a/seer"]),
        (b"min_context=32000", ["a/seer", "b/free"]),
        (b"max_input_price=0.1", ["a/cheap", "b/free"]),
        (b"max_input_price=2.5&max_output_price=9.99", ["a/cheap", "b/free"]),
        (b"max_output_price=10", ["a/cheap", "a/seer", "b/free"]),
        (b"provider=nobody", []),
        (b"client_version=1.2&api-version=3", ["a/cheap", "a/seer", "b/free", "b/unpriced"]),
        (b"after=a%2Fseer", ["b/free", "b/unpriced"]),
    ],
)
def test_a_filter_chooses(query, names):
    chosen, more = parse_model_query(query).page(CARDS)
    assert ([each.id for each in chosen], more) == (names, False)


def test_pages_follow_one_another_to_the_end():
    first, more = parse_model_query(b"limit=3").page(CARDS)
    assert (len(first), more) == (3, True)
    rest, more = parse_model_query(b"limit=3&after=" + first[-1].id.encode()).page(CARDS)
    assert ([*first, *rest], more) == ([*CARDS], False)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        (b"min_contxt=1", "min_contxt"),
        (b"min_context=many", "min_context"),
        (b"min_context=-1", "min_context"),
        (b"min_context=1&min_context=2", "min_context"),
        ("min_context=²".encode(), "min_context"),
        (b"min_context=" + b"9" * 5_000, "min_context"),
        (b"max_input_price=cheap", "max_input_price"),
        (b"max_input_price=NaN", "max_input_price"),
        (b"max_output_price=-1", "max_output_price"),
        (b"max_output_price=1e999999", "max_output_price"),
        (b"modality=smell", "modality"),
        (b"provider=", "provider"),
        (b"capability=" + b"a," * 30 + b"a", "capability"),
        (b"limit=0", "limit"),
        (b"limit=1001", "limit"),
        (b"&".join(b"provider=%d" % each for each in range(60)), None),
    ],
)
def test_what_is_wrong_is_named(query, named):
    with pytest.raises(InvalidRequest) as refusal:
        parse_model_query(query)
    assert refusal.value.param == named


def test_words_of_the_control_plane_are_not_models():
    for word in ("providers", "search", "compare", "refresh"):
        assert find_route(f"/v1/models/{word}") is None
        assert find_route(f"/v1/models/{word}/x") is not None
    assert find_route("/v1/models/search-preview") is not None


async def test_the_list_is_filtered_where_a_query_is_given(gateway, tenant):
    async with gateway.get("/models?provider=mock&max_input_price=1000&limit=2", tenant.key) as response:
        listed = await response.json()
    assert [each["provider"] for each in listed["data"]] == ["mock", "mock"]
    assert listed["has_more"] is True
    assert listed["data"][0]["pricing"]["input"].keys() == {"nano_usd_per_mtok", "usd_per_mtok"}
    async with gateway.get("/models?colour=red", tenant.key) as response:
        refusal = await response.json()
        assert (response.status, refusal["error"]["param"]) == (400, "colour")


async def test_a_model_shows_its_window_modalities_and_price(gateway, make_tenant):
    made = await asyncio.to_thread(make_tenant, "shown")

    def offer():
        provider = create_provider(owner=made.tenant, name="own", base_url="https://models.example.com/v1")
        model = ModelOffer(
            name="seer",
            context_window=9,
            capabilities=("vision",),
            input_nano_per_mtok=2 * USD,
            output_nano_per_mtok=USD,
        )
        offer_models(owner=made.tenant, provider_id=provider, offers=[model])

    await asyncio.to_thread(offer)
    async with gateway.get("/models/own/seer", made.key) as response:
        one = await response.json()
    assert (one["context_window"], one["modalities"], one["pricing"]["input"]["usd_per_mtok"]) == (
        9,
        ["text", "image"],
        "2.00",
    )
