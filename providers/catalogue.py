"""What can be asked for, and whom that asks: pure values, resolved on every request.

A name means, in this order: a route of the tenant, a route of the platform, "provider/model", a bare model id that
only one provider offers (the tenant's own before the platform's). "default" stands for the tenant's default model. A
provider of the tenant hides the platform's provider of the same name whole, switched off or not: what a tenant has
taken into its own hands is never quietly paid for by the platform. A provider of the platform that is not offered to
the tenant's plan is not there.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Final

import msgspec

from common.errors import NotFound
from providers.shown_prices import PriceShown
from providers.wire.shapes import Target

DEFAULT: Final = "default"
NAMES_SHOWN: Final = 50


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


class Offer(msgspec.Struct, frozen=True, dict=True):
    target: Target
    card: ModelCard

    @cached_property
    def lenient_target(self) -> Target:
        """The target of a route that has what cannot be expressed left out."""
        return msgspec.structs.replace(self.target, drop_params=True)


class RouteEntry(msgspec.Struct, frozen=True):
    """`targets` are "provider/model" names, the first preferred."""

    name: str
    created: int
    targets: tuple[str, ...]
    drop_params: bool = False


class Resolution(msgspec.Struct, frozen=True):
    """`name` is the route's name or "provider/model"; `targets` are in the order to be tried, never empty."""

    name: str
    targets: tuple[Target, ...]


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
    """`plan` is the name of the tenant's. Raises NotFound (`model_not_found`, param `model`) naming what exists."""
    wanted = default_model if name == DEFAULT else name
    platform_catalogue = platform_catalogue.for_plan(plan)
    found = (
        resolve_route(wanted, tenant_catalogue, platform_catalogue)
        or resolve_offer(wanted, tenant_catalogue, platform_catalogue)
        or resolve_bare(wanted, tenant_catalogue, platform_catalogue)
    )
    if found is None:
        raise unknown_model(name, wanted, tenant_catalogue, platform_catalogue)
    return found


def resolve_route(name: str, tenant: Catalogue, platform: Catalogue) -> Resolution | None:
    """A tenant's route may lead to the platform's providers; the platform's leads to its own alone."""
    if entry := tenant.routes.get(name):
        targets = [find_offer(target, tenant, platform) for target in entry.targets]
    elif entry := platform.routes.get(name):
        targets = [platform.offers.get(target) for target in entry.targets]
    else:
        return None
    lenient = entry.drop_params
    offered = tuple(offer.lenient_target if lenient else offer.target for offer in targets if offer is not None)
    return Resolution(name, offered) if offered else None


def resolve_offer(name: str, tenant: Catalogue, platform: Catalogue) -> Resolution | None:
    offer = find_offer(name, tenant, platform)
    return None if offer is None else Resolution(name, (offer.target,))


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
    """Everything a caller of this tenant can name, sorted by id."""
    platform = platform.for_plan(plan)
    cards = {name: offer.card for name, offer in platform.offers.items() if not hidden(name, tenant)}
    cards.update((name, offer.card) for name, offer in tenant.offers.items())
    for entry in (*platform.routes.values(), *tenant.routes.values()):
        if resolution := resolve_route(entry.name, tenant, platform):
            cards[entry.name] = route_card(entry, resolution)
    return tuple(cards[name] for name in sorted(cards))


def find_card(
    name: str, tenant: Catalogue, platform: Catalogue, default_model: str = "", plan: str | None = None
) -> ModelCard:
    """The card of what `name` resolves to. Raises NotFound like `resolve`."""
    platform = platform.for_plan(plan)
    resolution = resolve(name, tenant, platform, default_model)
    if entry := tenant.routes.get(resolution.name) or platform.routes.get(resolution.name):
        return route_card(entry, resolution)
    offer = find_offer(resolution.name, tenant, platform)
    assert offer is not None  # noqa: S101 it was resolved a line ago
    return offer.card


def route_card(entry: RouteEntry, resolution: Resolution) -> ModelCard:
    return ModelCard(id=entry.name, provider=resolution.targets[0].provider, owned_by="route", created=entry.created)


def unknown_model(name: str, wanted: str, tenant: Catalogue, platform: Catalogue) -> NotFound:
    if name == DEFAULT and not wanted:
        reason = "This tenant has no default model."
    elif name == DEFAULT:
        reason = f"The default model '{wanted}' is not offered."
    elif candidates := bare_candidates(name, tenant, platform):
        return model_not_found(f"Several providers offer '{name}'; name one of: {', '.join(candidates)}.")
    elif name in tenant.routes or name in platform.routes:
        reason = f"The route '{name}' has no target that is offered."
    else:
        reason = f"The model '{name[:200]}' does not exist."
    return model_not_found(f"{reason} {available(card.id for card in list_cards(tenant, platform))}")


def available(names: Iterable[str]) -> str:
    known = list(names)
    if not known:
        return "No models are offered yet."
    more = f" and {len(known) - NAMES_SHOWN} more" if len(known) > NAMES_SHOWN else ""
    return f"Available models: {', '.join(known[:NAMES_SHOWN])}{more}."


def model_not_found(message: str) -> NotFound:
    return NotFound(message, code="model_not_found", param="model")
