"""Catalogues as values: rows read through the door, secrets opened, prices looked up."""

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from common.crypto import SecretUnreadable
from common.errors import InvalidRequest
from providers.catalogue import Catalogue, ModelCard, Offer, RouteEntry
from providers.modalities import modalities_of
from providers.models import Credential, OfferedModel, Provider, Route, RouteTarget
from providers.models.provider import SECRET_PLACE
from providers.prices import Price
from providers.pricing_source import DatedPrice, listed_price, override_price
from providers.quirks import quirks_of
from providers.route_documents import check_time_zone
from providers.route_policy import Strategy, TargetRule
from providers.scope import Owner, keyring, owner_scope, secret_place
from providers.shown_prices import shown_price
from providers.wire.ports import Wire
from providers.wire.registry import adapter
from providers.wire.shapes import Deadlines, Secret, Target
from tenants.door import TenantRef

logger = logging.getLogger(__name__)

Headers = tuple[tuple[str, Secret], ...]
JSON = ("content-type", Secret("application/json"))


def load_tenant_catalogue(tenant: TenantRef, *, at: datetime | None = None) -> Catalogue:
    """The tenant's own providers and routes, priced as of `at` (now). Opens the tenant's scope."""
    return load(tenant, at or datetime.now(UTC))


def load_platform_catalogue(*, at: datetime | None = None) -> Catalogue:
    """The platform's providers and routes, priced as of `at` (now). Opens the platform's scope."""
    return load(None, at or datetime.now(UTC))


def load(owner: Owner, at: datetime) -> Catalogue:
    with owner_scope(owner):
        providers = list(Provider.objects.prefetch_related("credentials", "offered_models"))
        routes = list(Route.objects.filter(enabled=True).prefetch_related("targets"))
    offers: dict[str, Offer] = {}
    changes: list[datetime] = []
    for provider in providers:
        if provider.enabled:
            for offer, changes_at in provider_offers(provider, owner, at):
                offers[offer.card.id] = offer
                if changes_at is not None:
                    changes.append(changes_at)
    return Catalogue(
        offers=offers,
        routes={entry.name: entry for entry in map(route_entry, routes) if entry is not None},
        providers=frozenset(provider.name for provider in providers),
        changes_at=min(changes, default=None),
        plans={each.name: frozenset(each.offered_to_plans) for each in providers if each.offered_to_plans},
    )


def provider_offers(provider: Provider, owner: Owner, at: datetime) -> Iterable[tuple[Offer, datetime | None]]:
    """Every model under each of the provider's credentials."""
    try:
        bases = list(provider_targets(provider, owner))
    except (LookupError, InvalidRequest) as unknown:
        logger.warning("provider skipped", extra={"provider": provider.name, "error": str(unknown)})
        return
    for row in provider.offered_models.all():
        if not row.enabled:
            continue
        dated = price_of(provider, row, at)
        price = None if dated is None else dated.price
        targets = tuple(of_model(base, row, price) for base in bases)
        yield Offer(targets, model_card(provider, row, price)), None if dated is None else dated.changes_at


def provider_targets(provider: Provider, owner: Owner) -> Iterator[Target]:
    """What the targets of all its models share: one for each enabled credential that opens, one if there is none.

    Raises LookupError for a wire that is not there, InvalidRequest for quirks that are none.
    """
    wire = adapter(provider.wire)
    base = Target(
        provider=provider.name,
        provider_scope="platform" if owner is None else "tenant",
        wire=provider.wire,
        base_url=provider.base_url.rstrip("/"),
        model="",
        headers=plain_headers(provider),
        price=None,
        deadlines=Deadlines(
            connect=provider.connect_seconds,
            first_byte=provider.first_byte_seconds,
            between_chunks=provider.between_chunks_seconds,
            total=provider.total_seconds,
            first_chunk=provider.first_chunk_seconds,
        ),
        quirks=quirks_of(provider.quirks),
        mark_up_basis_points=provider.mark_up_basis_points,
        most_at_once=provider.most_at_once,
        key=("platform" if owner is None else f"t:{owner.id.hex}") + f"/{provider.name}/",
    )
    opened = [(row, headers) for row, headers in opened_credentials(provider, wire, owner) if headers is not None]
    for row, headers in opened:
        yield msgspec.structs.replace(
            base,
            headers=headers,
            credential=row.label,
            credential_id=row.id,
            credential_requests_per_minute=row.requests_per_minute,
        )
    if not opened:
        yield base


def of_model(base: Target, row: OfferedModel, price: Price | None) -> Target:
    return msgspec.structs.replace(
        base,
        model=row.name,
        price=price,
        context_window=row.context_window,
        capabilities=tuple(row.capabilities),
        key=f"{base.key}{row.name}#{base.credential}",
    )


def plain_headers(provider: Provider) -> Headers:
    return (JSON, *((name.lower(), Secret(value)) for name, value in sorted(provider.headers.items())))


def opened_credentials(provider: Provider, wire: Wire, owner: Owner) -> Iterator[tuple[Credential, Headers | None]]:
    """Each enabled credential with what is sent under it.

    One that does not open is None, and said aloud: the other providers stay usable.
    """
    plain = plain_headers(provider)
    for credential in provider.credentials.all():
        if not credential.enabled:
            continue
        try:
            secret = keyring().decrypt(bytes(credential.secret), place=secret_place(owner, credential.id))
        except SecretUnreadable as error:
            logger.error("credential unreadable", extra={"provider": provider.name, "error": str(error)})
            yield credential, None
        else:
            yield credential, (*plain, *credential_headers(provider, wire, secret.decode()))


def credential_headers(provider: Provider, wire: Wire, secret: str) -> Headers:
    if not provider.credential_header:
        return wire.credential_headers(secret)
    name, _, text = provider.credential_header.partition(":")
    return ((name.lower(), Secret(text.strip().replace(SECRET_PLACE, secret))),)


def price_of(provider: Provider, row: OfferedModel, at: datetime) -> DatedPrice | None:
    price = override_price(row)
    return DatedPrice(price) if price else listed_price(provider.price_provider_id, row.name, at=at)


def model_card(provider: Provider, row: OfferedModel, price: Price | None) -> ModelCard:
    return ModelCard(
        id=f"{provider.name}/{row.name}",
        provider=provider.name,
        owned_by=provider.name,
        created=int(row.created_at.timestamp()),
        display_name=row.display_name,
        context_window=row.context_window,
        capabilities=tuple(row.capabilities),
        modalities=modalities_of(row.capabilities, price),
        pricing=shown_price(price, provider.mark_up_basis_points),
    )


def route_entry(route: Route) -> RouteEntry | None:
    """None, and said aloud, for one that cannot be read: the others stay usable."""
    try:
        return RouteEntry(
            name=route.name,
            created=int(route.created_at.timestamp()),
            rules=tuple(map(usable_rule, route.targets.all())),
            drop_params=route.drop_params,
            strategy=msgspec.convert(route.strategy, Strategy),
            policy=route.as_policy(),
            learned=msgspec.convert(route.learned, dict[str, float]),
        )
    except (msgspec.ValidationError, InvalidRequest) as error:
        logger.error("route unreadable", extra={"route": route.name, "error": str(error)})
        return None


def usable_rule(row: RouteTarget) -> TargetRule:
    """Raises msgspec.ValidationError, and InvalidRequest for a time zone that this machine does not know."""
    rule = row.as_rule()
    if rule.schedule is not None:
        check_time_zone(rule.schedule.time_zone, "schedule.time_zone")
    return rule
