"""What of two catalogues a tenant sees: its own providers, and those of the platform that these do not hide."""

from dataclasses import dataclass
from itertools import chain

from providers.catalogue import Catalogue, ModelCard, Offer, Resolution, hidden, list_cards, resolve
from providers.snapshots import load_platform_catalogue, load_tenant_catalogue
from tenants.identity import TenantRef


@dataclass(frozen=True, slots=True)
class Visible:
    """`platform` is as the tenant's plan sees it."""

    own: Catalogue
    platform: Catalogue
    default_model: str = ""

    def cards(self) -> tuple[ModelCard, ...]:
        """Everything that can be named, routes too, sorted by id."""
        return list_cards(self.own, self.platform)

    def resolve(self, name: str) -> Resolution:
        """Raises UnknownModel."""
        return resolve(name, self.own, self.platform, self.default_model)

    def first_offer(self, resolution: Resolution) -> Offer:
        """What a name leads to first."""
        target = resolution.targets[0]
        catalogue = self.own if target.provider_scope == "tenant" else self.platform
        return catalogue.offers[target.name]

    def offers(self) -> list[Offer]:
        """Every model at its provider, sorted by name."""
        shared = (offer for name, offer in self.platform.offers.items() if not hidden(name, self.own))
        return sorted(chain(self.own.offers.values(), shared), key=lambda offer: offer.card.id)


def load_visible(tenant: TenantRef, *, plan: str | None, default_model: str) -> Visible:
    """Opens the tenant's scope, then the platform's. `plan` is the name of the tenant's."""
    own = load_tenant_catalogue(tenant)
    return Visible(own, load_platform_catalogue().for_plan(plan), default_model)
