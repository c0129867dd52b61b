"""Making, changing and removing providers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from common.errors import InvalidRequest
from providers.actions.rows import assign, check_valid, find, save_valid
from providers.config_validators import check_configuration
from providers.egress.configured import check_url
from providers.models import Provider
from providers.scope import Owner, in_owner_scope, raise_owner_version
from providers.signals import announce, provider_created, provider_removed, provider_updated

# What a form or a caller that leaves these out means.
EMPTY: dict[str, Callable[[], object]] = {"headers": dict, "quirks": dict, "offered_to_plans": list}


@in_owner_scope
def create_provider(*, owner: Owner, name: str, base_url: str, **values: Any) -> UUID:
    """The provider's id. `values` by the name of the field: wire, headers, connect_seconds …

    Raises InvalidRequest and Conflict.
    """
    row = Provider(
        name=name, base_url=base_url, **{field: value for field, value in values.items() if value is not None}
    )
    save(row, owner)
    raise_owner_version(owner)
    announce(provider_created, owner, row)
    return row.id


@in_owner_scope
def change_provider(*, owner: Owner, provider_id: UUID, **changes: Any) -> None:
    """`changes` by the name of the field; changing nothing raises no version.

    Raises NotFound, InvalidRequest and Conflict.
    """
    row = find(Provider, provider_id)
    if fields := assign(row, changes):
        save(row, owner)
        raise_owner_version(owner)
        announce(provider_updated, owner, row, fields=fields)


@in_owner_scope
def delete_provider(*, owner: Owner, provider_id: UUID) -> None:
    """With its credentials and models. Routes keep naming them, and pass over what is not there. Raises NotFound."""
    row = find(Provider, provider_id)
    announce(provider_removed, owner, row)
    row.delete()
    raise_owner_version(owner)


def save(row: Provider, owner: Owner) -> None:
    """A tenant pays its own providers itself: nothing is added to that, and its plan has no say in it."""
    for field in ("mark_up_basis_points", "offered_to_plans"):
        if owner is not None and getattr(row, field):
            raise InvalidRequest("This is for the platform's providers alone.", param=field)
    for field, nothing in EMPTY.items():
        setattr(row, field, getattr(row, field) or nothing())
    check_url(row.base_url, owner, param="base_url")
    check_valid(row)
    check_configuration(document_of(row, owner))
    save_valid(row)


def document_of(row: Provider, owner: Owner) -> dict[str, Any]:
    """What an installed validator judges."""
    unsaid = ("id", "created_at", "updated_at")
    fields = {field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.name not in unsaid}
    return {"tenant": None if owner is None else owner.slug, **fields}
