"""A whole catalogue at once: all of it, or nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from uuid import UUID

from common.errors import InvalidRequest, OrchestratorError
from providers.actions.credentials import set_credential
from providers.actions.models import offer_models
from providers.actions.providers import change_provider, create_provider
from providers.actions.routes import change_route, create_route
from providers.catalogue_file import CatalogueFile, ProviderEntry, RouteEntry
from providers.models import Provider, Route
from providers.scope import Owner, in_owner_scope

# What an operator may have set by hand, and is left alone where the catalogue says nothing of it.
SAID = (
    *("template", "quirks", "credential_header", "default_model", "health_interval_seconds"),
    *("mark_up_basis_points", "offered_to_plans", "most_at_once"),
)
SAID_OF_ROUTES = ("drop_params", "strategy", "policy")


@in_owner_scope
def apply_catalogue(*, owner: Owner, catalogue: CatalogueFile, environ: Mapping[str, str]) -> None:
    """Makes or changes what the catalogue names, and leaves the rest as it is; the same again changes nothing.

    Keys are read from `environ`. Raises InvalidRequest with the place in `param`; then nothing has changed.
    """
    for i, provider in enumerate(catalogue.providers):
        with placed(f"providers[{i}]"):
            apply_provider(owner, provider, environ)
    for i, route in enumerate(catalogue.routes):
        with placed(f"routes[{i}]"):
            apply_route(owner, route)


def apply_provider(owner: Owner, entry: ProviderEntry, environ: Mapping[str, str]) -> None:
    provider_id = put_provider(owner, entry)
    if entry.key_env:
        secret = environ.get(entry.key_env, "").strip()
        if not secret:
            raise InvalidRequest(f"The environment variable {entry.key_env} is not set.", param="key_env")
        with placed("", {"secret": "key_env"}):
            set_credential(owner=owner, provider_id=provider_id, secret=secret)
    offer_models(owner=owner, provider_id=provider_id, offers=[model.offer() for model in entry.models])


def put_provider(owner: Owner, entry: ProviderEntry) -> UUID:
    values: dict[str, Any] = {
        "wire": entry.wire,
        "base_url": entry.base_url,
        "price_provider_id": entry.price_provider,
        "headers": entry.headers,
        "enabled": entry.enabled,
        "connect_seconds": entry.deadlines.connect,
        "first_byte_seconds": entry.deadlines.first_byte,
        "between_chunks_seconds": entry.deadlines.between_chunks,
        "total_seconds": entry.deadlines.total,
    }
    if entry.deadlines.first_chunk is not None:
        values["first_chunk_seconds"] = entry.deadlines.first_chunk
    values |= {field: getattr(entry, field) for field in SAID if getattr(entry, field) is not None}
    known = Provider.objects.filter(name=entry.name).values_list("id", flat=True).first()
    if known is None:
        return create_provider(owner=owner, name=entry.name, **values)
    change_provider(owner=owner, provider_id=known, **values)
    return known


def apply_route(owner: Owner, entry: RouteEntry) -> None:
    known = Route.objects.filter(name=entry.name).values_list("id", flat=True).first()
    said = {field: getattr(entry, field) for field in SAID_OF_ROUTES if getattr(entry, field) is not None}
    if known is None:
        create_route(owner=owner, name=entry.name, targets=entry.targets, **said)
    else:
        change_route(owner=owner, route_id=known, targets=entry.targets, enabled=True, **said)


@contextmanager
def placed(place: str, renamed: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Says where in the file a refusal comes from."""
    try:
        yield
    except OrchestratorError as error:
        param = renamed.get(error.param or "", error.param)
        raise InvalidRequest(error.message, param=".".join(part for part in (place, param) if part)) from error
