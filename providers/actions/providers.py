"""Making, changing and removing providers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from common.errors import InvalidRequest
from providers.actions.rows import assign, find, remove, save_valid
from providers.egress.configured import check_url
from providers.models import Provider
from providers.scope import Owner, in_owner_scope, raise_owner_version

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
    return row.id


@in_owner_scope
def change_provider(*, owner: Owner, provider_id: UUID, **changes: Any) -> None:
    """`changes` by the name of the field; changing nothing raises no version.

    Raises NotFound, InvalidRequest and Conflict.
    """
    row = find(Provider, provider_id)
    if assign(row, changes):
        save(row, owner)
        raise_owner_version(owner)


@in_owner_scope
def delete_provider(*, owner: Owner, provider_id: UUID) -> None:
    """With its credentials and models. Routes keep naming them, and pass over what is not there. Raises NotFound."""
    remove(Provider, provider_id)
    raise_owner_version(owner)


def save(row: Provider, owner: Owner) -> None:
    """A tenant pays its own providers itself: nothing is added to that, and its plan has no say in it."""
    for field in ("mark_up_basis_points", "offered_to_plans"):
        if owner is not None and getattr(row, field):
            raise InvalidRequest("This is for the platform's providers alone.", param=field)
    for field, nothing in EMPTY.items():
        setattr(row, field, getattr(row, field) or nothing())
    check_url(row.base_url, owner, param="base_url")
    save_valid(row)
