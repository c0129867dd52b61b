"""Which models a provider offers, and at what price where the price list is not to be followed."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from providers.actions.rows import assign, find, save_valid
from providers.models import OfferedModel, Provider
from providers.scope import Owner, in_owner_scope, raise_owner_version
from providers.signals import announce, provider_updated

RATES = (
    "input_nano_per_mtok",
    "output_nano_per_mtok",
    "cache_read_nano_per_mtok",
    "cache_write_nano_per_mtok",
    "input_audio_nano_per_mtok",
    "output_audio_nano_per_mtok",
    "nano_per_request",
)


class ModelOffer(msgspec.Struct, frozen=True, kw_only=True):
    """Rates in nano-USD per million tokens. Without input and output rates the price list is followed."""

    name: str
    display_name: str = ""
    context_window: int | None = None
    capabilities: tuple[str, ...] = ()
    enabled: bool = True
    input_nano_per_mtok: int | None = None
    output_nano_per_mtok: int | None = None
    cache_read_nano_per_mtok: int | None = None
    cache_write_nano_per_mtok: int | None = None
    input_audio_nano_per_mtok: int | None = None
    output_audio_nano_per_mtok: int | None = None
    nano_per_request: int = 0


@in_owner_scope
def offer_models(*, owner: Owner, provider_id: UUID, offers: Sequence[ModelOffer]) -> None:
    """Adds models, and changes those of the same name; others stay. Raises NotFound, InvalidRequest."""
    provider = find(Provider, provider_id)
    known = {row.name: row for row in provider.offered_models.all()}
    changed = [
        put(known.get(offer.name) or OfferedModel(provider=provider, name=offer.name), offer) for offer in offers
    ]
    if any(changed):
        raise_owner_version(owner)
        announce(provider_updated, owner, provider)


@in_owner_scope
def change_model(*, owner: Owner, model_id: UUID, offer: ModelOffer) -> None:
    """Raises NotFound, InvalidRequest, Conflict."""
    row = find(OfferedModel, model_id)
    if put(row, offer):
        raise_owner_version(owner)
        announce(provider_updated, owner, row.provider)


@in_owner_scope
def withdraw_model(*, owner: Owner, model_id: UUID) -> None:
    """Raises NotFound."""
    row = find(OfferedModel, model_id)
    row.delete()
    raise_owner_version(owner)
    announce(provider_updated, owner, row.provider)


def put(row: OfferedModel, offer: ModelOffer) -> bool:
    """Saves the row if the offer says anything new of it."""
    values = {name: getattr(offer, name) for name in offer.__struct_fields__}
    values["capabilities"] = list(offer.capabilities)
    new_rates = assign(row, {name: values.pop(name) for name in RATES})
    if not (assign(row, values) or new_rates or row._state.adding):
        return False
    row.price_revision += new_rates
    save_valid(row)
    return True
