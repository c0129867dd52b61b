"""Asking a server which models it has. Control plane: seldom, at leisure, never on the way of a completion."""

import asyncio
from typing import Final

import httpx2
import msgspec

from common.errors import UpstreamGarbled, UpstreamUnreachable
from providers.client.pinned import pinned_client
from providers.client.pool import Places
from providers.egress.policy import Scope

DEADLINE_SECONDS: Final = 2.0
LARGEST_LIST: Final = 4 * 1024 * 1024


class Entry(msgspec.Struct):
    id: str


class Listing(msgspec.Struct):
    data: list[Entry] | None = None


def list_models(base_url: str, places: Places, scope: Scope) -> tuple[str, ...]:
    """The ids at `base_url`/models (platform.openai.com/docs/api-reference/models/list).

    Raises UpstreamUnreachable and UpstreamGarbled.
    """
    try:
        answer = asyncio.run(asked(f"{base_url}/models", places, scope))
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError):
        raise UpstreamUnreachable(f"No answer from {base_url} within {DEADLINE_SECONDS:g} seconds.") from None
    if answer.status_code != 200 or len(answer.content) > LARGEST_LIST:
        raise UpstreamGarbled(f"{base_url} answered with status {answer.status_code}.")
    try:
        listing = msgspec.json.decode(answer.content, type=Listing)
    except msgspec.DecodeError:
        raise UpstreamGarbled(f"{base_url} did not answer with a list of models.") from None
    return tuple(sorted(entry.id for entry in listing.data or ()))


async def asked(url: str, places: Places, scope: Scope) -> httpx2.Response:
    async with asyncio.timeout(DEADLINE_SECONDS), pinned_client(places, scope, seconds=DEADLINE_SECONDS) as client:
        return await client.get(url)
