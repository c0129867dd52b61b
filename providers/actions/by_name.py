"""Changes to a provider and its credentials as a caller names them: whole, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from common.errors import Conflict, InvalidRequest, NotFound
from providers.actions.catalogue import placed
from providers.actions.credentials import change_credential, delete_credential, set_credential
from providers.actions.models import ModelOffer, offer_models, withdraw_model
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.models import Credential, Provider
from providers.scope import Owner, in_owner_scope

# Paths below /v1/providers/ that are no provider's.
RESERVED: Final = ("templates", "from-template")


@in_owner_scope
def add_provider(
    *, owner: Owner, name: str, values: Mapping[str, Any], secret: str | None, offers: Sequence[ModelOffer] | None
) -> UUID:
    """`values` by the name of the field. Raises InvalidRequest, and Conflict for a name that is taken."""
    check_name(name)
    provider_id = create_provider(owner=owner, name=name, **values)
    fill(owner, provider_id, secret, offers)
    return provider_id


@in_owner_scope
def amend_provider(
    *, owner: Owner, name: str, changes: Mapping[str, Any], secret: str | None, offers: Sequence[ModelOffer] | None
) -> None:
    """None leaves the secret, or the models, as they are. Raises NotFound and InvalidRequest."""
    provider_id = provider_named(name).id
    change_provider(owner=owner, provider_id=provider_id, **changes)
    fill(owner, provider_id, secret, offers)


@in_owner_scope
def remove_provider(*, owner: Owner, name: str) -> None:
    """Raises NotFound."""
    delete_provider(owner=owner, provider_id=provider_named(name).id)


@in_owner_scope
def add_credential(*, owner: Owner, provider: str, label: str, secret: str, **values: Any) -> UUID:
    """`values`: enabled, position, requests_per_minute.

    Raises NotFound, InvalidRequest, and Conflict for a label in use.
    """
    row = provider_named(provider)
    if row.credentials.filter(label=label).exists():
        raise Conflict("There is another credential of this label already.", param="label")
    credential_id = set_credential(owner=owner, provider_id=row.id, secret=secret, label=label)
    change_credential(owner=owner, credential_id=credential_id, **values)
    return credential_id


@in_owner_scope
def amend_credential(*, owner: Owner, provider: str, credential_id: UUID, secret: str | None, **changes: Any) -> None:
    """A new secret alone does not switch a credential on. Raises NotFound, InvalidRequest and Conflict."""
    row = credential_of(provider, credential_id)
    if secret is not None:
        set_credential(owner=owner, provider_id=row.provider_id, secret=secret, label=row.label)
    change_credential(owner=owner, credential_id=row.id, **{"enabled": row.enabled, **changes})


@in_owner_scope
def remove_credential(*, owner: Owner, provider: str, credential_id: UUID) -> None:
    """Raises NotFound."""
    delete_credential(owner=owner, credential_id=credential_of(provider, credential_id).id)


def check_name(name: str) -> None:
    if name in RESERVED:
        raise InvalidRequest(f"'{name}' is a word of the API; choose another name.", param="name")


def fill(owner: Owner, provider_id: UUID, secret: str | None, offers: Sequence[ModelOffer] | None) -> None:
    if secret is not None:
        set_credential(owner=owner, provider_id=provider_id, secret=secret)
    if offers is not None:
        offer_all(owner, provider_id, offers)
        kept = {offer.name for offer in offers}
        for row in find_provider(provider_id).offered_models.exclude(name__in=kept):
            withdraw_model(owner=owner, model_id=row.id)


def offer_all(owner: Owner, provider_id: UUID, offers: Sequence[ModelOffer]) -> None:
    """Which of them was refused is looked for only then: one at a time each reads all the others."""
    try:
        offer_models(owner=owner, provider_id=provider_id, offers=offers)
    except InvalidRequest:
        for i, offer in enumerate(offers):
            with placed(f"models[{i}]"):
                offer_models(owner=owner, provider_id=provider_id, offers=[offer])
        raise


def find_provider(provider_id: UUID) -> Provider:
    return Provider.objects.get(id=provider_id)


def provider_named(name: str) -> Provider:
    """In the scope that is open. Raises NotFound."""
    row = Provider.objects.filter(name=name).first()
    if row is None:
        raise NotFound(f"There is no provider '{name[:100]}' of your own.")
    return row


def credential_of(provider: str, credential_id: UUID) -> Credential:
    row = provider_named(provider).credentials.filter(id=credential_id).first()
    if row is None:
        raise NotFound("There is no such credential.")
    return row
