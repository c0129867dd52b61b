"""What can be asked for, and whom that asks: pure values, resolved on every request.

A name means, in this order: a route of the tenant, a route of the platform, "provider/model", a pattern (a route with
"*" in its name: the tenant's before the platform's, then the one with the most other characters), a bare model id that
only one provider offers (the tenant's own before the platform's). "default" stands for the tenant's default model. A
provider of the tenant hides the platform's provider of the same name whole, switched off or not: what a tenant has
taken into its own hands is never quietly paid for by the platform. A provider of the platform that is not offered to
the tenant's plan is not there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from common.errors import NotFound
from providers.route_policy import RoutePolicy, Schedule, Strategy, TargetRule, Tier
from providers.routed import ANYTHING, pattern_of, routed
from providers.shown_prices import PriceShown
from providers.wire.shapes import Target

DEFAULT: Final = "default"
CAUSES: Final = ("context_too_long", "content_refused", "rate_limited", "budget", "any")
NAMES_SHOWN: Final = 50

Role = Literal["target", "canary", "shadow", "fallback"]


class ModelCard(msgspec.Struct, frozen=True):
    """A model as callers see it. `id` is a name that `resolve` takes; `created` is in Unix seconds.

    `pricing` is what the tenant pays, mark-up included; None for an unpriced model, and for a route, which has many.
    """

    id: str
    provider: str
    owned_by: str
    created: int
    display_name: str = ""
    context_window: int | None = None
    capabilities: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    pricing: PriceShown | None = None


class Offer(msgspec.Struct, frozen=True):
    """`targets`: one for each enabled credential that opens, in their order; never empty."""

    targets: tuple[Target, ...]
    card: ModelCard

    @property
    def target(self) -> Target:
        return self.targets[0]


class RouteEntry(msgspec.Struct, frozen=True):
    """`learned` are numbers that feedback taught, for the strategy "auto". `created` is in Unix seconds."""

    name: str
    created: int
    rules: tuple[TargetRule, ...]
    drop_params: bool = False
    strategy: Strategy = "priority"
    policy: RoutePolicy = RoutePolicy()
    learned: Mapping[str, float] = {}


class Candidate(msgspec.Struct, frozen=True):
    """One target that a request may go to, as its route has it: parameters, deadlines and `drop_params` are applied.

    `rule_number` counts the route's rules from 0; -1 is what stems from none of them. A rule has one candidate for each
    credential, in their order, next to each other. `cause` is a fallback's field in `route_policy.Fallbacks`.
    """

    target: Target
    role: Role = "target"
    rule_number: int = -1
    weight: int = 1
    tags: tuple[str, ...] = ()
    schedule: Schedule | None = None
    tier: Tier | None = None
    cause: str = ""


class Resolution(msgspec.Struct, frozen=True, dict=True):
    """`name` is the route's name or "provider/model"; `route` is None for the latter.

    `candidates` are in the order they are written in: the targets, at least one, then canary, shadow and fallbacks.
    """

    name: str
    candidates: tuple[Candidate, ...]
    route: RouteEntry | None = None

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        return tuple(each.target for each in self.candidates if each.role == "target")


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """The offers of one owner, a tenant or the platform, keyed by "provider/model".

    `providers` names every provider of the owner, those switched off too. `changes_at`: when a listed price changes by
    the calendar, so that this value must be loaded again; None for never. `plans` are those that a provider of the
    platform is offered to; one that is not named there is offered to everyone.
    """

    offers: Mapping[str, Offer] = {}
    routes: Mapping[str, RouteEntry] = {}
    providers: frozenset[str] = frozenset()
    changes_at: datetime | None = None
    plans: Mapping[str, frozenset[str]] = {}

    def outdated(self, now: datetime) -> bool:
        """Whether a listed price has changed since by the calendar."""
        return self.changes_at is not None and self.changes_at <= now

    @cached_property
    def by_model(self) -> Mapping[str, tuple[str, ...]]:
        """The "provider/model" names of each bare model id."""
        found: dict[str, tuple[str, ...]] = {}
        for name, offer in self.offers.items():
            found[offer.target.model] = (*found.get(offer.target.model, ()), name)
        return found

    @cached_property
    def patterns(self) -> tuple[tuple[Callable[[str], bool], RouteEntry], ...]:
        """The routes with "*" in their names, each with what says whether a name fits; the closest first."""
        found = [route for name, route in self.routes.items() if ANYTHING in name]
        found.sort(key=lambda route: (route.name.count(ANYTHING) - len(route.name), route.name))
        return tuple((pattern_of(route.name), route) for route in found)

    @cached_property
    def _by_plan(self) -> dict[str | None, "Catalogue"]:
        return {}

    def for_plan(self, plan: str | None) -> "Catalogue":
        """What a tenant of this plan (None: of no plan) sees of the platform's catalogue; made once for each plan."""
        if not self.plans:
            return self
        if plan not in self._by_plan:
            withheld = {provider for provider, plans in self.plans.items() if plan not in plans}
            offers = {name: offer for name, offer in self.offers.items() if offer.target.provider not in withheld}
            self._by_plan[plan] = Catalogue(
                offers=offers, routes=self.routes, providers=self.providers - withheld, changes_at=self.changes_at
            )
        return self._by_plan[plan]


def resolve(
    name: str,
    tenant_catalogue: Catalogue,
    platform_catalogue: Catalogue,
    default_model: str = "",
    plan: str | None = None,
) -> Resolution:
    """`plan` is the name of the tenant's. Raises UnknownModel naming what exists."""
    wanted = default_model if name == DEFAULT else name
    platform_catalogue = platform_catalogue.for_plan(plan)
    found = (
        resolve_route(wanted, tenant_catalogue, platform_catalogue)
        or resolve_offer(wanted, tenant_catalogue, platform_catalogue)
        or resolve_pattern(wanted, tenant_catalogue, platform_catalogue)
        or resolve_bare(wanted, tenant_catalogue, platform_catalogue)
    )
    if found is None:
        raise unknown_model(name, wanted, tenant_catalogue, platform_catalogue)
    return found


def resolve_route(name: str, tenant: Catalogue, platform: Catalogue) -> Resolution | None:
    if entry := tenant.routes.get(name):
        return led_by_tenants(entry, name, tenant, platform)
    if entry := platform.routes.get(name):
        return led_by_platforms(entry, name, platform)
    return None


def resolve_pattern(name: str, tenant: Catalogue, platform: Catalogue) -> Resolution | None:
    """By the closest pattern that leads anywhere."""
    for fits, entry in tenant.patterns:
        if fits(name) and (found := led_by_tenants(entry, name, tenant, platform)):
            return found
    for fits, entry in platform.patterns:
        if fits(name) and (found := led_by_platforms(entry, name, platform)):
            return found
    return None


def led_by_tenants(entry: RouteEntry, name: str, tenant: Catalogue, platform: Catalogue) -> Resolution | None:
    """A tenant's route may lead to the platform's providers."""
    return led(entry, name, lambda target: find_offer(target, tenant, platform))


def led_by_platforms(entry: RouteEntry, name: str, platform: Catalogue) -> Resolution | None:
    """The platform's route leads to its own providers alone."""
    return led(entry, name, platform.offers.get)


def led(entry: RouteEntry, name: str, find: Callable[[str], Offer | None]) -> Resolution | None:
    """Where a route leads the caller's `name`. One whose own targets are all gone leads to its fallbacks for `any`."""

    def candidates(rule: TargetRule, **traits: Any) -> Iterator[Candidate]:
        provider, _, model = rule.target.partition("/")
        offer = find(f"{provider}/{name}" if model == ANYTHING else rule.target)
        for each in () if offer is None else offer.targets:
            if rule.credential in ("", each.credential):
                target = routed(
                    each, drop_params=entry.drop_params, deadlines=policy.deadlines, parameters=rule.parameters
                )
                yield Candidate(
                    target, weight=rule.weight, tags=rule.tags, schedule=rule.schedule, tier=rule.tier, **traits
                )

    policy, found = entry.policy, list[Candidate]()
    for number, rule in enumerate(entry.rules):
        found.extend(candidates(rule, rule_number=number))
    for target in () if found else policy.fallbacks.any:
        found.extend(candidates(TargetRule(target=target)))
    if not found:
        return None
    for target, role, cause in beside_the_rules(policy):
        found.extend(candidates(TargetRule(target=target), role=role, cause=cause))
    return Resolution(entry.name, tuple(found), entry)


def beside_the_rules(policy: RoutePolicy) -> Iterator[tuple[str, Role, str]]:
    """Targets with their roles, and the causes of the fallbacks."""
    if policy.canary is not None:
        yield policy.canary.target, "canary", ""
    if policy.shadow is not None:
        yield policy.shadow.target, "shadow", ""
    for cause in CAUSES:
        for target in getattr(policy.fallbacks, cause):
            yield target, "fallback", cause


def resolve_offer(name: str, tenant: Catalogue, platform: Catalogue) -> Resolution | None:
    offer = find_offer(name, tenant, platform)
    return None if offer is None else Resolution(name, tuple(Candidate(target) for target in offer.targets))


def resolve_bare(name: str, tenant: Catalogue, platform: Catalogue) -> Resolution | None:
    candidates = bare_candidates(name, tenant, platform)
    return resolve_offer(candidates[0], tenant, platform) if len(candidates) == 1 else None


def bare_candidates(name: str, tenant: Catalogue, platform: Catalogue) -> tuple[str, ...]:
    own = tenant.by_model.get(name, ())
    return own or tuple(each for each in platform.by_model.get(name, ()) if not hidden(each, tenant))


def find_offer(name: str, tenant: Catalogue, platform: Catalogue) -> Offer | None:
    return tenant.offers.get(name) if hidden(name, tenant) else platform.offers.get(name)


def hidden(name: str, tenant: Catalogue) -> bool:
    """Whether "provider/model" belongs to a provider that the tenant has itself."""
    return name.partition("/")[0] in tenant.providers


def list_cards(tenant: Catalogue, platform: Catalogue, plan: str | None = None) -> tuple[ModelCard, ...]:
    """Everything a caller of this tenant can name, sorted by id; what only a pattern gives a meaning is not named."""
    platform = platform.for_plan(plan)
    cards = {name: offer.card for name, offer in platform.offers.items() if not hidden(name, tenant)}
    cards.update((name, offer.card) for name, offer in tenant.offers.items())
    for name in (*platform.routes, *tenant.routes):
        if ANYTHING not in name and (resolution := resolve_route(name, tenant, platform)):
            cards[name] = route_card(name, resolution)
    return tuple(cards[name] for name in sorted(cards))


def find_card(
    name: str, tenant: Catalogue, platform: Catalogue, default_model: str = "", plan: str | None = None
) -> ModelCard:
    """The card of what `name` resolves to. Raises NotFound like `resolve`."""
    platform = platform.for_plan(plan)
    resolution = resolve(name, tenant, platform, default_model)
    if resolution.route is not None:
        return route_card(default_model if name == DEFAULT else name, resolution)
    offer = find_offer(resolution.name, tenant, platform)
    assert offer is not None  # noqa: S101 it was resolved a line ago
    return offer.card


def route_card(name: str, resolution: Resolution) -> ModelCard:
    created = 0 if resolution.route is None else resolution.route.created
    return ModelCard(id=name, provider=resolution.targets[0].provider, owned_by="route", created=created)


def unknown_model(name: str, wanted: str, tenant: Catalogue, platform: Catalogue) -> "UnknownModel":
    cards = list_cards(tenant, platform)
    if name == DEFAULT and not wanted:
        reason = "This tenant has no default model."
    elif name == DEFAULT:
        reason = f"The default model '{wanted}' is not offered."
    elif candidates := bare_candidates(name, tenant, platform):
        reason = f"Several providers offer '{name}'; name one of theirs."
        cards = tuple(card for card in cards if card.id in candidates)
    elif name in tenant.routes or name in platform.routes:
        reason = f"The route '{name}' has no target that is offered."
    else:
        reason = f"The model '{name[:200]}' does not exist."
    return UnknownModel(reason, cards)


class UnknownModel(NotFound):
    """`cards` are of what could be asked for instead: whoever knows that a caller may not ask for all of them makes
    another one of fewer."""

    def __init__(self, reason: str, cards: tuple[ModelCard, ...], param: str = "model") -> None:
        super().__init__(f"{reason} {available(card.id for card in cards)}", code="model_not_found", param=param)
        self.reason = reason
        self.cards = cards


def available(names: Iterable[str]) -> str:
    known = list(names)
    if not known:
        return "No models are offered yet."
    more = f" and {len(known) - NAMES_SHOWN} more" if len(known) > NAMES_SHOWN else ""
    return f"Available models: {', '.join(known[:NAMES_SHOWN])}{more}."
