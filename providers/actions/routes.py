"""Routes: a public name and the targets behind it."""

from collections.abc import Sequence
from uuid import UUID

from common.errors import InvalidRequest
from providers.actions.rows import assign, find, remove, save_valid
from providers.catalogue import DEFAULT
from providers.models import Route, RouteTarget
from providers.scope import Owner, in_owner_scope, raise_owner_version

MOST_TARGETS = 50


@in_owner_scope
def create_route(
    *, owner: Owner, name: str, targets: Sequence[str], enabled: bool = True, drop_params: bool = False
) -> UUID:
    """The route's id. `targets` are "provider/model", the first preferred; they need not be offered yet.

    With `drop_params` what a target cannot express is left out of a request, not refused.

    Raises InvalidRequest and Conflict.
    """
    row = Route(name=name, enabled=enabled, drop_params=drop_params)
    save(row, targets)
    raise_owner_version(owner)
    return row.id


@in_owner_scope
def change_route(
    *,
    owner: Owner,
    route_id: UUID,
    name: str,
    targets: Sequence[str],
    enabled: bool = True,
    drop_params: bool | None = None,
) -> None:
    """`drop_params` stays as it is for None. Saying what is so already raises no version.

    Raises NotFound, InvalidRequest, Conflict."""
    row = find(Route, route_id)
    current = [str(target) for target in row.targets.all()]
    values = {"name": name, "enabled": enabled, "drop_params": row.drop_params if drop_params is None else drop_params}
    if not assign(row, values) and current == list(targets):
        return
    save(row, targets)
    raise_owner_version(owner)


@in_owner_scope
def delete_route(*, owner: Owner, route_id: UUID) -> None:
    """Raises NotFound."""
    remove(Route, route_id)
    raise_owner_version(owner)


def save(row: Route, targets: Sequence[str]) -> None:
    if row.name == DEFAULT:
        raise InvalidRequest(f"'{DEFAULT}' always means the tenant's default model; choose another name.", param="name")
    if not 1 <= len(targets) <= MOST_TARGETS:
        raise InvalidRequest(f"A route has 1 to {MOST_TARGETS} targets.", param="targets")
    if len(set(targets)) < len(targets):
        raise InvalidRequest("A route names each target once.", param="targets")
    save_valid(row)
    row.targets.all().delete()
    for position, target in enumerate(targets):
        provider, _, model = target.partition("/")
        try:
            save_valid(RouteTarget(route=row, position=position, provider_name=provider, model_name=model))
        except InvalidRequest:
            raise InvalidRequest(f"{target!r} is not a target; name it provider/model.", param="targets") from None
