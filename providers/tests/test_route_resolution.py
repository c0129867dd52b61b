"""Where routes lead: patterns, credentials, canary, shadow and fallbacks. Pure values."""

import msgspec
import pytest

from common.errors import NotFound
from providers.catalogue import Catalogue, ModelCard, Offer, RouteEntry, find_card, list_cards, resolve
from providers.route_policy import (
    Canary,
    DeadlineRule,
    Fallbacks,
    RoutePolicy,
    Schedule,
    Shadow,
    TargetRule,
)
from providers.wire.shapes import Deadlines, Target

EMPTY = Catalogue()


def offer(name: str, *credentials: str) -> Offer:
    provider, _, model = name.partition("/")
    plain = Target(
        provider=provider,
        provider_scope="platform",
        wire="openai",
        base_url="http://h/v1",
        model=model,
        headers=(),
        price=None,
    )
    labelled = (msgspec.structs.replace(plain, credential=each) for each in credentials or [""])
    return Offer(tuple(labelled), ModelCard(id=name, provider=provider, owned_by=provider, created=1))


def catalogue(*offers: Offer, routes=()) -> Catalogue:
    return Catalogue(
        offers={each.card.id: each for each in offers},
        routes={route.name: route for route in routes},
        providers=frozenset(each.target.provider for each in offers),
    )


def route(name: str, *targets: str | TargetRule, **more) -> RouteEntry:
    rules = (each if isinstance(each, TargetRule) else TargetRule(target=each) for each in targets)
    return RouteEntry(name, 1, tuple(rules), **more)


def led_to(name: str, tenant=EMPTY, platform=EMPTY) -> list[str]:
    candidates = resolve(name, tenant, platform).candidates
    return [f"{c.role} {c.target.provider}/{c.target.model}#{c.target.credential}" for c in candidates]


MODELS = [offer("a/m1"), offer("a/m2"), offer("b/m1"), offer("b/org/m3")]


def test_each_credential_of_a_provider_is_a_candidate_in_its_order():
    platform = catalogue(offer("a/m", "main", "spare"), routes=[route("r", "a/m")])
    assert led_to("a/m", platform=platform) == ["target a/m#main", "target a/m#spare"]
    assert led_to("r", platform=platform) == led_to("a/m", platform=platform)
    assert [each.rule_number for each in resolve("r", EMPTY, platform).candidates] == [0, 0]
    assert [each.rule_number for each in resolve("a/m", EMPTY, platform).candidates] == [-1, -1]


def test_a_rule_may_name_one_credential():
    rules = TargetRule(target="a/m", credential="spare"), TargetRule(target="a/m", credential="nobody's")
    platform = catalogue(offer("a/m", "main", "spare"), routes=[route("r", *rules)])
    assert led_to("r", platform=platform) == ["target a/m#spare"]


def test_what_a_rule_says_stands_at_its_candidates():
    nights = Schedule(start="22:00", end="06:00")
    rule = TargetRule(target="a/m1", weight=3, tags=("eu",), schedule=nights, tier="complex")
    platform = catalogue(*MODELS, routes=[route("r", "gone/m", rule)])
    [found] = resolve("r", EMPTY, platform).candidates
    assert (found.rule_number, found.weight, found.tags, found.schedule, found.tier) == (
        1,
        3,
        ("eu",),
        nights,
        "complex",
    )


def test_a_route_has_its_own_parameters_deadlines_and_leniency():
    policy = RoutePolicy(deadlines=DeadlineRule(headers=3, first_chunk=4, total=9))
    rule = TargetRule(target="a/m1", parameters={"temperature": 0.5, "stop": ["x"]})
    platform = catalogue(*MODELS, routes=[route("r", rule, "b/m1", policy=policy, drop_params=True)])
    first, second = resolve("r", EMPTY, platform).targets
    assert first.deadlines == Deadlines(first_byte=3, first_chunk=4, total=9)
    assert first.parameters == (("temperature", msgspec.Raw(b"0.5")), ("stop", msgspec.Raw(b'["x"]')))
    assert (first.drop_params, second.drop_params, second.parameters) == (True, True, ())


def test_a_route_that_changes_nothing_leads_to_the_very_targets():
    platform = catalogue(*MODELS, routes=[route("r", "a/m1")])
    assert resolve("r", EMPTY, platform).targets[0] is platform.offers["a/m1"].target


def test_canary_shadow_and_fallbacks_follow_the_targets():
    policy = RoutePolicy(
        canary=Canary(target="a/m2", percent=5),
        shadow=Shadow(target="gone/m"),
        fallbacks=Fallbacks(any=("b/m1",), context_too_long=("b/org/m3", "gone/m")),
    )
    platform = catalogue(*MODELS, routes=[route("r", "a/m1", policy=policy)])
    found = resolve("r", EMPTY, platform)
    assert led_to("r", platform=platform) == ["target a/m1#", "canary a/m2#", "fallback b/org/m3#", "fallback b/m1#"]
    assert [each.cause for each in found.candidates] == ["", "", "context_too_long", "any"]
    assert [each.model for each in found.targets] == ["m1"]
    assert found.route is platform.routes["r"]


def test_a_route_whose_targets_are_gone_leads_to_its_fallbacks():
    policy = RoutePolicy(fallbacks=Fallbacks(any=("b/m1",)))
    platform = catalogue(*MODELS, routes=[route("r", "gone/m", policy=policy)])
    assert led_to("r", platform=platform)[0] == "target b/m1#"


def test_the_closest_pattern_of_the_tenant_then_of_the_platform():
    platform = catalogue(*MODELS, routes=[route("gpt-*-mini", "b/m1")])
    own = catalogue(routes=[route("*", "a/m1"), route("gpt-*", "a/m2")])
    assert led_to("gpt-4", own, platform) == ["target a/m2#"]
    assert led_to("gpt-4-mini", own, platform) == ["target a/m2#"]
    assert led_to("claude", own, platform) == ["target a/m1#"]
    assert led_to("gpt-4-mini", EMPTY, platform) == ["target b/m1#"]
    assert resolve("gpt-4", own, platform).name == "gpt-*"


def test_a_pattern_comes_after_what_is_named_outright_and_before_bare_ids():
    platform = catalogue(*MODELS, routes=[route("*", "a/m1"), route("fast", "a/m2")])
    assert led_to("b/m1", platform=platform) == ["target b/m1#"]
    assert led_to("fast", platform=platform) == ["target a/m2#"]
    assert led_to("org/m3", platform=platform) == ["target a/m1#"]


def test_a_star_for_a_model_is_the_callers_own_name():
    platform = catalogue(*MODELS, routes=[route("*", "b/*", "a/*")])
    assert led_to("m1", platform=platform) == ["target b/m1#", "target a/m1#"]
    assert led_to("org/m3", platform=platform) == ["target b/org/m3#"]


def test_a_pattern_that_leads_nowhere_leaves_the_name_to_the_next():
    platform = catalogue(*MODELS, routes=[route("m*", "gone/*"), route("*", "a/*")])
    assert led_to("m2", platform=platform) == ["target a/m2#"]


@pytest.mark.parametrize("name", ["x" * 265, "with space", "new\nline", "nul\0", "ümlaut"])
def test_a_pattern_takes_no_name_that_could_be_no_models(name):
    platform = catalogue(*MODELS, routes=[route("*", "a/m1")])
    with pytest.raises(NotFound):
        resolve(name, EMPTY, platform)


def test_parts_of_a_pattern_stand_in_its_order():
    platform = catalogue(*MODELS, routes=[route("a*b*c", "a/m1")])
    assert led_to("abc", platform=platform) == led_to("a-b-bc-c", platform=platform)
    for name in ("acb", "ab", "xabc", "abcx", "ac"):
        with pytest.raises(NotFound):
            resolve(name, EMPTY, platform)


def test_a_pattern_is_never_slow():
    worst = route("*a" * 60 + "*b", "a/m1")
    with pytest.raises(NotFound):
        resolve("a" * 264, EMPTY, catalogue(*MODELS, routes=[worst]))


def test_patterns_are_not_listed_and_what_they_take_has_a_card():
    platform = catalogue(*MODELS, routes=[route("gpt-*", "a/m1"), route("fast", "a/m1")])
    assert [card.id for card in list_cards(EMPTY, platform)] == ["a/m1", "a/m2", "b/m1", "b/org/m3", "fast"]
    assert find_card("gpt-9", EMPTY, platform).id == "gpt-9"
    assert find_card("default", EMPTY, platform, "gpt-9").id == "gpt-9"
