"""Names and what they mean: pure values."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from common.errors import NotFound
from providers.catalogue import Catalogue, ModelCard, Offer, RouteEntry, find_card, list_cards, resolve
from providers.route_policy import TargetRule
from providers.wire.shapes import Target


def offer(name: str, scope="platform") -> Offer:
    provider, _, model = name.partition("/")
    target = Target(
        provider=provider,
        provider_scope=scope,
        wire="openai",
        base_url="http://h/v1",
        model=model,
        headers=(),
        price=None,
    )
    return Offer((target,), ModelCard(id=name, provider=provider, owned_by=provider, created=1))


def rules(*targets: str) -> tuple[TargetRule, ...]:
    return tuple(TargetRule(target=target) for target in targets)


def catalogue(*names: str, scope="platform", routes=None, providers=()) -> Catalogue:
    return Catalogue(
        offers={name: offer(name, scope) for name in names},
        routes={name: RouteEntry(name, 1, rules(*targets)) for name, targets in (routes or {}).items()},
        providers=frozenset({name.partition("/")[0] for name in names} | set(providers)),
    )


EMPTY = Catalogue()
PLATFORM = catalogue(
    "openai/gpt-4o",
    "azure/gpt-4o",
    "openai/gpt-4o-mini",
    "groq/meta-llama/llama-4",
    routes={"fast": ["openai/gpt-4o-mini", "azure/gpt-4o"], "gone": ["openai/withdrawn"]},
)


def found(name: str, tenant=EMPTY, platform=PLATFORM, default="") -> list[str]:
    resolution = resolve(name, tenant, platform, default)
    return [f"{t.provider_scope}:{t.provider}/{t.model}" for t in resolution.targets]


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("openai/gpt-4o", ["platform:openai/gpt-4o"]),
        ("gpt-4o-mini", ["platform:openai/gpt-4o-mini"]),
        ("meta-llama/llama-4", ["platform:groq/meta-llama/llama-4"]),
        ("groq/meta-llama/llama-4", ["platform:groq/meta-llama/llama-4"]),
        ("fast", ["platform:openai/gpt-4o-mini", "platform:azure/gpt-4o"]),
    ],
)
def test_every_way_to_name_a_model(name, targets):
    assert found(name) == targets


def test_the_resolution_is_named_by_what_was_found():
    assert resolve("gpt-4o-mini", EMPTY, PLATFORM).name == "openai/gpt-4o-mini"
    assert resolve("default", EMPTY, PLATFORM, "fast").name == "fast"


def refused(name: str, tenant=EMPTY, platform=PLATFORM, default="") -> str:
    with pytest.raises(NotFound) as refusal:
        resolve(name, tenant, platform, default)
    assert (refusal.value.status, refusal.value.code, refusal.value.param) == (404, "model_not_found", "model")
    return refusal.value.message


def test_an_unknown_name_is_answered_with_those_that_exist():
    message = refused("gpt-9")
    assert "'gpt-9' does not exist" in message
    assert "openai/gpt-4o-mini" in message
    assert "fast" in message
    assert "gone" not in message
    assert "No models are offered yet." in refused("x", platform=EMPTY)


def test_a_bare_id_of_several_providers_is_ambiguous():
    assert refused("gpt-4o").endswith("name one of theirs. Available models: azure/gpt-4o, openai/gpt-4o.")


def test_a_route_without_any_offered_target_is_not_found():
    assert "no target that is offered" in refused("gone")


def test_default_is_the_tenants_default_model():
    assert found("default", default="openai/gpt-4o") == ["platform:openai/gpt-4o"]
    assert "no default model" in refused("default")
    assert "'openai/gone' is not offered" in refused("default", default="openai/gone")
    assert "not offered" in refused("default", default="default")


def test_a_tenants_own_provider_hides_the_platforms_of_the_same_name():
    own = catalogue("openai/gpt-4o", scope="tenant")
    assert found("openai/gpt-4o", own) == ["tenant:openai/gpt-4o"]
    assert found("gpt-4o", own) == ["tenant:openai/gpt-4o"]
    refused("openai/gpt-4o-mini", own)
    refused("gpt-4o-mini", own)


def test_a_provider_that_a_tenant_switched_off_is_not_paid_for_by_the_platform():
    own = catalogue(providers=["openai"])
    refused("openai/gpt-4o", own)
    assert found("gpt-4o", own) == ["platform:azure/gpt-4o"]


def test_a_tenants_route_comes_first_and_may_lead_to_the_platform():
    own = catalogue("mine/m", scope="tenant", routes={"fast": ["mine/m", "azure/gpt-4o", "nobody/x"]})
    assert found("fast", own) == ["tenant:mine/m", "platform:azure/gpt-4o"]


def test_the_platforms_route_stays_with_the_platform():
    own = catalogue("azure/gpt-4o", scope="tenant")
    assert found("fast", own) == ["platform:openai/gpt-4o-mini", "platform:azure/gpt-4o"]


def test_the_list_holds_what_resolves_and_nothing_else():
    own = catalogue("openai/mine", scope="tenant", routes={"my-route": ["azure/gpt-4o"]})
    cards = list_cards(own, PLATFORM)
    assert [card.id for card in cards] == [
        "azure/gpt-4o",
        "fast",
        "groq/meta-llama/llama-4",
        "my-route",
        "openai/mine",
    ]
    for card in cards:
        assert resolve(card.id, own, PLATFORM)
        assert find_card(card.id, own, PLATFORM) == card


def test_one_tenants_models_are_not_anothers():
    acme = catalogue("secret/model", scope="tenant", routes={"acme-route": ["secret/model"]})
    assert found("secret/model", acme) == ["tenant:secret/model"]
    for name in ("secret/model", "model", "acme-route"):
        assert "secret" not in refused(name, EMPTY).replace(f"'{name}'", "")


def test_a_long_list_of_names_is_cut():
    many = catalogue(*(f"p{i}/m" for i in range(200)))
    assert "and 150 more" in refused("x", platform=many)


def test_a_catalogue_is_outdated_from_the_moment_a_price_changes():
    noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    dated = Catalogue(changes_at=noon)
    assert dated.outdated(noon)
    assert not dated.outdated(noon - timedelta(seconds=1))
    assert not Catalogue().outdated(noon)


def test_what_a_plan_does_not_include_is_not_there():
    withheld = msgspec.structs.replace(PLATFORM, plans={"openai": frozenset({"pro"})})
    assert resolve("openai/gpt-4o-mini", EMPTY, withheld, plan="pro").targets
    for plan in (None, "free"):
        assert not {card.provider for card in list_cards(EMPTY, withheld, plan)} & {"openai"}
        with pytest.raises(NotFound):
            resolve("openai/gpt-4o-mini", EMPTY, withheld, plan=plan)
        with pytest.raises(NotFound):
            find_card("openai/gpt-4o-mini", EMPTY, withheld, plan=plan)


def test_a_catalogue_is_filtered_once_for_each_plan():
    withheld = msgspec.structs.replace(PLATFORM, plans={"openai": frozenset({"pro"})})
    assert withheld.for_plan("free") is withheld.for_plan("free")
    assert PLATFORM.for_plan("free") is PLATFORM


def test_a_lenient_route_has_what_cannot_be_expressed_left_out():
    own = Catalogue(
        routes={
            "lenient": RouteEntry("lenient", 1, rules("openai/gpt-4o-mini"), drop_params=True),
            "strict": RouteEntry("strict", 1, rules("openai/gpt-4o-mini")),
        }
    )
    assert resolve("lenient", own, PLATFORM).targets[0].drop_params
    assert not resolve("strict", own, PLATFORM).targets[0].drop_params
    assert not resolve("openai/gpt-4o-mini", own, PLATFORM).targets[0].drop_params
