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
from providers.wire.model_list import ModelList, read_model_list
from providers.wire.shapes import Secret

DEADLINE_SECONDS: Final = 8.0
SECONDS_AT_START: Final = 2.0
LARGEST_LIST: Final = 4 * 1024 * 1024
# zlib tells gzip and zlib apart by the first bytes.
GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
# A list that is made to be costly takes tens of megabytes while it is read: never several at once in a process.
ONE_LIST: Final = threading.Lock()

Headers = Iterable[tuple[str, Secret]]


async def fetch_model_list(
    url: str, headers: Headers, places: Places, scope: Scope, *, seconds: float = DEADLINE_SECONDS
) -> ModelList:
    """What the server at `url` lists, however slowly, within `seconds` for everything.

    Raises UpstreamUnreachable, UpstreamTimeout, UpstreamRefused for a status that is not 200, and UpstreamGarbled for a
    body that is too large or no list. None of them quotes the server.
    """
    try:
        async with asyncio.timeout(seconds), pinned_client(places, scope, seconds=seconds) as client:
            body = await fetch(client, url, headers)
    except (TimeoutError, httpx2.TimeoutException):
        raise UpstreamTimeout(f"The provider did not list its models within {seconds:g} seconds.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        raise UpstreamUnreachable("The provider cannot be reached.") from None
    return await asyncio.to_thread(read_alone, body)


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
