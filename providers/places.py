"""Where providers are asked how they are and what they have, with what is shown there: rows as values."""

from collections.abc import Iterable
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from common.errors import InvalidRequest
from providers.egress.policy import Scope
from providers.models import Provider
from providers.quirks import quirks_of
from providers.scope import Owner
from providers.snapshots import Headers, opened_credentials, plain_headers
from providers.wire.model_list import model_list_url
from providers.wire.registry import adapter

# Of a provider with more credentials the first are looked at.
MOST_CREDENTIALS: Final = 10


class Shown(msgspec.Struct, frozen=True):
    """An enabled credential; `headers` None for one that cannot be opened."""

    id: UUID
    headers: Headers | None


class Place(msgspec.Struct, frozen=True):
    """`url` lists the provider's models; empty for one that has no list. `base_url` answers at least something.

    `scope` says where it may be connected to, `interval` how many seconds lie between two looks.
    """

    provider_id: UUID
    name: str
    scope: Scope
    url: str
    base_url: str
    interval: int
    plain: Headers
    credentials: tuple[Shown, ...]

    @property
    def headers(self) -> Headers:
        """With the first credential that opens."""
        return next((each.headers for each in self.credentials if each.headers is not None), self.plain)


def places_of(rows: Iterable[Provider], owner: Owner) -> list[Place]:
    """Of the providers whose wire is spoken here. Opens their secrets."""
    return [place for row in rows if (place := place_of(row, owner)) is not None]


def place_of(row: Provider, owner: Owner) -> Place | None:
    try:
        wire, quirks = adapter(row.wire), quirks_of(row.quirks)
    except (LookupError, InvalidRequest):
        return None
    opened = opened_credentials(row, wire, owner)
    return Place(
        provider_id=row.id,
        name=row.name,
        scope="platform" if owner is None else "tenant",
        url=model_list_url(row.wire, row.base_url, quirks),
        base_url=row.base_url.rstrip("/"),
        interval=row.health_interval_seconds,
        plain=plain_headers(row),
        credentials=tuple(Shown(each.id, headers) for each, headers in islice(opened, MOST_CREDENTIALS)),
    )
