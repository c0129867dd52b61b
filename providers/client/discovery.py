"""Asking a server which models it has. Control plane: seldom, at leisure, never on the way of a completion."""

import asyncio
import threading
import zlib
from collections.abc import Iterable
from typing import Final

import httpx2

from common.errors import UpstreamError, UpstreamGarbled, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from providers.client.pinned import pinned_client
from providers.client.pool import Places
from providers.egress.policy import Scope
from providers.wire.model_list import MOST_MODELS, ModelList, joined, page_url, read_model_list
from providers.wire.shapes import Secret

DEADLINE_SECONDS: Final = 8.0
SECONDS_AT_START: Final = 2.0
LARGEST_LIST: Final = 4 * 1024 * 1024
MOST_PAGES: Final = 20
# zlib tells gzip and zlib apart by the first bytes.
GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
# A list that is made to be costly takes tens of megabytes while it is read: never several at once in a process.
ONE_LIST: Final = threading.Lock()

Headers = Iterable[tuple[str, Secret]]


async def fetch_model_list(
    url: str, headers: Headers, places: Places, scope: Scope, *, seconds: float = DEADLINE_SECONDS
) -> ModelList:
    """What the server at `url` lists, however slowly and on however many pages, within `seconds` for everything.

    What keeps it from the first page is raised: UpstreamUnreachable, UpstreamTimeout, UpstreamRefused for a status that
    is not 200, and UpstreamGarbled for a body that is too large or no list, none of which quotes the server. What keeps
    it from a later one leaves a list that is `cut`, as do more than MOST_PAGES.
    """
    pages: list[ModelList] = []
    try:
        async with asyncio.timeout(seconds), pinned_client(places, scope, seconds=seconds) as client:
            await read_pages(client, url, headers, pages)
    except UpstreamError as error:
        failure = error
    except (TimeoutError, httpx2.TimeoutException):
        failure = UpstreamTimeout(f"The provider did not list its models within {seconds:g} seconds.")
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        failure = UpstreamUnreachable("The provider cannot be reached.")
    if not pages:
        raise failure
    return joined(pages)


async def read_pages(client: httpx2.AsyncClient, url: str, headers: Headers, pages: list[ModelList]) -> None:
    """Adds to `pages` until there is none left, or one brings nothing new, as of a server that goes in circles."""
    names: set[str] = set()
    wanted = None
    while len(pages) < MOST_PAGES and len(names) < MOST_MODELS:
        body = await fetch(client, page_url(url, wanted), headers)
        page = await asyncio.to_thread(read_alone, body)
        pages.append(page)
        fresh = {model.name for model in page.models} - names
        wanted = page.next_page
        if not fresh or wanted is None:
            return
        names |= fresh


def read_alone(body: bytes) -> ModelList:
    with ONE_LIST:
        return read_model_list(body)


async def fetch(client: httpx2.AsyncClient, url: str, headers: Headers) -> bytes:
    shown = [*((name, value.reveal()) for name, value in headers), ("accept-encoding", "identity")]
    async with client.stream("GET", url, headers=shown) as answer:
        if answer.status_code != 200:
            raise refusal(answer.status_code)
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > LARGEST_LIST:
                raise too_large()
        return unpacked(bytes(body), answer.headers.get("content-encoding", "identity"))


def unpacked(body: bytes, coding: str) -> bytes:
    """Some compress although they were asked not to; never into more than we would have taken plain."""
    if coding == "identity":
        return body
    try:
        unpacking = zlib.decompressobj(GZIP_OR_ZLIB)
        plain = unpacking.decompress(body, LARGEST_LIST)
    except zlib.error:
        raise UpstreamGarbled("The provider did not answer with a list of models.") from None
    if unpacking.unconsumed_tail:
        raise too_large()
    return plain


def refusal(status: int) -> UpstreamError:
    if status in (401, 403):
        return UpstreamRefused("The provider did not accept the credential.", code="upstream_credential")
    return UpstreamRefused(f"The provider answered with status {status}.")


def too_large() -> UpstreamError:
    return UpstreamGarbled(f"The provider's list of models is larger than {LARGEST_LIST} bytes.")


def list_models(base_url: str, places: Places, scope: Scope) -> tuple[str, ...]:
    """The ids at `base_url`/models, asked for in a moment and without a credential. Raises UpstreamError."""
    found = asyncio.run(fetch_model_list(f"{base_url}/models", (), places, scope, seconds=SECONDS_AT_START))
    return tuple(model.name for model in found.models)
