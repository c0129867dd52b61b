"""Completions over pooled connections.

Nothing here is sent twice. aiohttp repeats a request on a kept-alive connection that turned out dead only for
idempotent methods (RFC 9112 section 9.3.1), and ours is POST; a second attempt is the gateway's to make and to record.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from common.errors import UpstreamError, UpstreamGarbled
from providers.client.failures import broken_answer, no_answer
from providers.client.watch import Watch
from providers.wire.shapes import Deadlines, Secret, UpstreamRequest

LARGEST_ANSWER: Final = 64 * 1024 * 1024
LARGEST_ERROR: Final = 64 * 1024
LARGEST_HEADER: Final = 32 * 1024
KEEP_ALIVE_SECONDS: Final = 15.0
DNS_CACHE_SECONDS: Final = 60
READ_BUFFER: Final = 256 * 1024

# aiohttp would fill these in for itself, at some cost, and offer compression that we do not want.
EVERY_REQUEST: Final = (("accept", "*/*"), ("accept-encoding", "identity"), ("user-agent", "orchestrator"))


class UpstreamClient:
    """Pooled connections to every provider; one per process. `pool_size` bounds open connections."""

    def __init__(self, pool_size: int) -> None:
        self._pool_size = pool_size
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Called once, in the event loop that will use it."""
        connector = aiohttp.TCPConnector(
            limit=self._pool_size, keepalive_timeout=KEEP_ALIVE_SECONDS, ttl_dns_cache=DNS_CACHE_SECONDS
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            raise_for_status=False,
            read_bufsize=READ_BUFFER,
            max_line_size=LARGEST_HEADER,
            max_field_size=LARGEST_HEADER,
        )

    async def close(self) -> None:
        """Closes every connection; answers under way break off."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def send(
        self, request: UpstreamRequest, deadlines: Deadlines, extra_headers: Iterable[tuple[str, str]] = ()
    ) -> "UpstreamCall":
        """`async with client.send(…) as response`: enters when the answer's headers are there.

        Leaving before the answer was read to its end, by an exception, a cancellation or on purpose, drops the
        connection at once. Raises UpstreamUnreachable, UpstreamTimeout and UpstreamGarbled on entry and while reading.
        """
        if self._session is None:
            raise RuntimeError("the client is not open")
        return UpstreamCall(self._session, request, deadlines, extra_headers)


class UpstreamResponse:
    """`headers` are looked up without regard to case. The body is read once, by `read`, `read_error` or `chunks`."""

    __slots__ = ("_response", "_watch", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, watch: "Watch") -> None:
        self._response = response
        self._watch = watch
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes in. Time that the reader takes for itself does not count as the provider's silence."""
        content, watch = self._response.content, self._watch
        while True:
            watch.wait()
            try:
                piece = await content.readany()
            except (aiohttp.ClientError, OSError) as error:
                raise broken_answer(error) from None
            finally:
                watch.rest()
            if not piece:
                return
            yield piece

    async def read(self, limit: int = LARGEST_ANSWER) -> bytes:
        """The whole body. Raises UpstreamGarbled beyond `limit` bytes."""
        declared = self._response.content_length
        body = b"" if declared is not None and declared > limit else await self._read_up_to(limit + 1)
        if len(body) > limit or (declared is not None and declared > limit):
            raise UpstreamGarbled(f"The provider's answer is larger than {limit} bytes.")
        return body

    async def read_error(self, limit: int = LARGEST_ERROR) -> bytes:
        """The first `limit` bytes of an error's body, or what came of it: its status already says enough."""
        try:
            return (await self._read_up_to(limit))[:limit]
        except UpstreamError:
            return b""

    async def _read_up_to(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for piece in self.chunks():
            parts.append(piece)
            size += len(piece)
            if size >= limit:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)


class UpstreamCall:
    """One request, as an async context manager around its response."""

    __slots__ = ("_deadlines", "_extra_headers", "_request", "_response", "_session", "_watch")

    def __init__(
        self,
        session: aiohttp.ClientSession,
        request: UpstreamRequest,
        deadlines: Deadlines,
        extra_headers: Iterable[tuple[str, str]],
    ) -> None:
        self._session = session
        self._request = request
        self._deadlines = deadlines
        self._extra_headers = extra_headers
        self._response: aiohttp.ClientResponse | None = None
        self._watch: Watch | None = None

    async def __aenter__(self) -> UpstreamResponse:
        request, deadlines = self._request, self._deadlines
        total_at = asyncio.get_running_loop().time() + deadlines.total
        headers = shared_headers(request.headers).copy()
        headers.update(self._extra_headers)
        try:
            async with asyncio.timeout_at(total_at):
                response = await self._session.post(
                    parsed_url(request.url),
                    data=request.body,
                    headers=headers,
                    allow_redirects=False,
                    timeout=header_timeout(deadlines),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise no_answer(error) from None
        self._response = response
        stop_read_timeout(response)
        self._watch = Watch(response, deadlines.between_chunks, total_at)
        return UpstreamResponse(response, self._watch)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.stop()
        response = self._response
        if response is None or response.connection is None:
            return
        # Not read to its end. A mere close would first flush what is still to be sent.
        if (transport := response.connection.transport) is not None:
            transport.abort()
        response.close()


@lru_cache(maxsize=4096)
def parsed_url(url: str) -> URL:
    return URL(url, encoded=True)


@lru_cache(maxsize=4096)
def shared_headers(headers: tuple[tuple[str, Secret], ...]) -> "CIMultiDict[str]":
    """Made once for each target, whose tuple of headers is one and the same on every call."""
    made = CIMultiDict(EVERY_REQUEST)
    made.update((name, secret.reveal()) for name, secret in headers)
    return made


@lru_cache(maxsize=1024)
def header_timeout(deadlines: Deadlines) -> aiohttp.ClientTimeout:
    """`sock_read` runs from the end of the request to the first byte; `connect` includes waiting for the pool."""
    return aiohttp.ClientTimeout(
        total=None, connect=deadlines.connect, sock_read=deadlines.first_byte, ceil_threshold=float("inf")
    )


def stop_read_timeout(response: aiohttp.ClientResponse) -> None:
    """From the first byte on the Watch keeps time: aiohttp would set a timer for every packet."""
    connection = response.connection
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = None
        connection.protocol.start_timeout()
