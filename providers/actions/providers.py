"""Making, changing and removing providers."""

from typing import Any
from uuid import UUID

from providers.actions.rows import assign, find, remove, save_valid
from providers.models import Provider
from providers.scope import Owner, in_owner_scope, raise_owner_version


@in_owner_scope
def create_provider(
    *,
    owner: Owner,
    name: str,
    base_url: str,
    wire: str = "openai",
    price_provider_id: str = "",
    headers: dict[str, str] | None = None,
    enabled: bool = True,
    **seconds: float,
) -> UUID:
    """The provider's id. `seconds`: connect_seconds and its sisters. Raises InvalidRequest and Conflict."""
    row = Provider(
        name=name,
        base_url=base_url,
        wire=wire,
        price_provider_id=price_provider_id,
        headers=headers or {},
        enabled=enabled,
        **seconds,
    )
    save_valid(row)
    raise_owner_version(owner)
    return row.id


@in_owner_scope
def change_provider(*, owner: Owner, provider_id: UUID, **changes: Any) -> None:
    """`changes` by the name of the field; changing nothing raises no version.

    Raises NotFound, InvalidRequest and Conflict.
    """
    row = find(Provider, provider_id)
    if assign(row, changes):
        save_valid(row)
        raise_owner_version(owner)


@in_owner_scope
def delete_provider(*, owner: Owner, provider_id: UUID) -> None:
    """With its credentials and models. Routes keep naming them, and pass over what is not there. Raises NotFound."""
    remove(Provider, provider_id)
    raise_owner_version(owner)
