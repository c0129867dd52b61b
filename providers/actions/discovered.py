"""Offering what a provider says it has. What is offered already belongs to whoever set it, and stays as it is."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from providers.actions.models import change_of, told
from providers.actions.rows import find
from providers.models import OfferedModel, Provider
from providers.price_list import find_model
from providers.scope import Owner, in_owner_scope
from providers.wire.model_list import ListedModel

MOST_OFFERED: Final = 2000


@in_owner_scope
def offer_discovered(*, owner: Owner, provider_id: UUID, models: Sequence[ListedModel]) -> tuple[str, ...]:
    """Adds the models that are not offered yet, up to MOST_OFFERED in all; their names. Raises NotFound.

    What the vendor does not say of a model is taken from the price list.
    """
    provider = find(Provider, provider_id)
    known = set(provider.offered_models.values_list("name", flat=True))
    fresh = [model for model in models if model.name not in known][: max(0, MOST_OFFERED - len(known))]
    if fresh:
        rows = [row_of(provider, model) for model in fresh]
        # Another refresh, or a person, may have been quicker.
        OfferedModel.objects.bulk_create(rows, ignore_conflicts=True)
        told(owner, provider, [change_of(row, "created") for row in rows])
    return tuple(model.name for model in fresh)


def row_of(provider: Provider, model: ListedModel) -> OfferedModel:
    listed = find_model(provider.price_provider_id, model.name) if provider.price_provider_id else None
    return OfferedModel(
        provider=provider,
        name=model.name,
        display_name=model.display_name,
        context_window=model.context_window or (listed.context_window if listed else None),
        capabilities=list(model.capabilities),
    )
