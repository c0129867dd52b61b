"""Which models a provider offers, and at what price where the price list is not to be followed."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from providers.actions.rows import assign, find, save_valid
from providers.models import OfferedModel, Provider
from providers.scope import Owner, in_owner_scope, raise_owner_version
from providers.signals import Action, Change, announce, provider_updated

MOST_TOLD: Final = 10
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
    rows = [known.get(offer.name) or OfferedModel(provider=provider, name=offer.name) for offer in offers]
    changes = [put(row, offer) for row, offer in zip(rows, offers, strict=True)]
    told(owner, provider, [change for change in changes if change is not None])


@in_owner_scope
def change_model(*, owner: Owner, model_id: UUID, offer: ModelOffer) -> None:
    """Raises NotFound, InvalidRequest, Conflict."""
    row = find(OfferedModel, model_id)
    if change := put(row, offer):
        told(owner, row.provider, [change])


@in_owner_scope
def withdraw_model(*, owner: Owner, model_id: UUID) -> None:
    """Raises NotFound."""
    row = find(OfferedModel, model_id)
    row.delete()
    told(owner, row.provider, [change_of(row, "removed")])


def told(owner: Owner, provider: Provider, changes: Sequence[Change]) -> None:
    """Of a whole list of models that changed at once one change tells, or history would hold nothing else."""
    if changes:
        raise_owner_version(owner)
        many = Change("model", f"{provider.name}/*", "updated")
        announce(provider_updated, owner, provider, parts=changes if len(changes) <= MOST_TOLD else [many])


def change_of(row: OfferedModel, action: Action, fields: Sequence[str] = ()) -> Change:
    return Change("model", f"{row.provider.name}/{row.name}", action, tuple(fields))


def put(row: OfferedModel, offer: ModelOffer) -> Change | None:
    """Saves the row if the offer says anything new of it."""
    values = {name: getattr(offer, name) for name in offer.__struct_fields__}
    values["capabilities"] = list(offer.capabilities)
    new_rates = assign(row, {name: values.pop(name) for name in RATES})
    fields = (*assign(row, values), *new_rates)
    is_new = row._state.adding
    if not (fields or is_new):
        return None
    row.price_revision += bool(new_rates)
    save_valid(row)
    return change_of(row, "created") if is_new else change_of(row, "updated", fields)
