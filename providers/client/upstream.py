"""Completions over pooled connections.

Nothing here is sent twice, not even on a kept-alive connection that turned out dead: ours are POSTs, and a vendor may
have begun to work (RFC 9112 section 9.3.1). A second attempt is the gateway's to make and to record.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Final

from common.errors import UpstreamError
from providers.client import failures
from providers.client.address import line, opening
from providers.client.connection import Connection
from providers.client.decoding import decoded
from providers.client.exchange import Exchange
from providers.client.pool import Places, Pool
from providers.egress.policy import Scope
from providers.wire.shapes import Deadlines, UpstreamRequest

LARGEST_ANSWER: Final = 64 * 1024 * 1024
LARGEST_ERROR: Final = 64 * 1024


class UpstreamClient:
    """Pooled connections to every provider; one per process. `pool_size` bounds open connections.

    `places` says where a host leads and whether one may go there (`providers.egress`).
    `tls` replaces the machine's trust in certificates, as for a provider behind a private authority.
    """

    def __init__(self, pool_size: int, places: Places, tls: ssl.SSLContext | None = None) -> None:
        self._pool_size = pool_size
        self._places = places
        self._tls = tls
        self._pool: Pool | None = None

    async def open(self) -> None:
        """Called once, in the event loop that will use it."""
        self._pool = Pool(self._pool_size, self._places, self._tls)

    async def close(self) -> None:
        """Closes every connection; answers under way break off."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def send(
        self,
        request: UpstreamRequest,
        deadlines: Deadlines,
        extra_headers: Iterable[tuple[str, str]] = (),
        scope: Scope = "tenant",
    ) -> "UpstreamCall":
        """`async with client.send(…) as response`: enters when the answer's headers are there.

        `scope` is whose provider it is: a tenant's may be fewer places than the operator's own.

        Leaving before the answer was read to its end, by an exception, a cancellation or on purpose, drops the
        connection at once. Raises UpstreamUnreachable, UpstreamTimeout and UpstreamGarbled on entry and while reading.
        """
        if self._pool is None:
            raise RuntimeError("the client is not open")
        return UpstreamCall(self._pool, request, deadlines, extra_headers, scope)


class UpstreamResponse:
    """`headers` have lower-case names. The body is read once, by `read`, `read_error` or `chunks`.

    Iterating gives the body as it comes in.
    """

    __slots__ = ("_exchange", "_pieces", "headers", "status")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.status = exchange.status
        self.headers: Mapping[str, str] = exchange.headers
        coding = exchange.headers.get("content-encoding", "identity")
        self._pieces = None if coding == "identity" else decoded(exchange, coding)

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes in. Time that the reader takes for itself does not count as the provider's silence."""
        return self if self._pieces is None else self._pieces

    def __aiter__(self) -> "UpstreamResponse":
        return self

    async def __anext__(self) -> bytes:
        piece = await self._exchange.piece()
        if piece:
            return piece
        raise StopAsyncIteration

    async def read(self, limit: int = LARGEST_ANSWER) -> bytes:
        """The whole body. Raises UpstreamGarbled beyond `limit` bytes."""
        declared = self.headers.get("content-length", "0")
        if int(declared) <= limit and len(body := await self._read_up_to(limit + 1)) <= limit:
            return body
        raise failures.too_large(limit)

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

    __slots__ = ("_connection", "_deadlines", "_extra_headers", "_pool", "_request", "_scope")

    def __init__(
        self,
        pool: Pool,
        request: UpstreamRequest,
        deadlines: Deadlines,
        extra_headers: Iterable[tuple[str, str]],
        scope: Scope,
    ) -> None:
        self._pool = pool
        self._request = request
        self._deadlines = deadlines
        self._extra_headers = extra_headers
        self._scope = scope
        self._connection: Connection | None = None

    async def __aenter__(self) -> UpstreamResponse:
        request, deadlines = self._request, self._deadlines
        loop = asyncio.get_running_loop()
        total_at = loop.time() + deadlines.total
        try:
            address, head = opening(request.url, request.headers, self._scope)
            rest = f"{''.join(map(line, self._extra_headers))}content-length: {len(request.body)}\r\n\r\n".encode(
                "latin-1"
            )
        except ValueError:
            raise failures.never_asked() from None
        connection = await self._pool.take(address, min(deadlines.connect, deadlines.total))
        try:
            exchange = connection.ask(loop, b"".join((head, rest, request.body)), deadlines, total_at)
            await exchange.head()
        except BaseException:
            self._pool.give_back(connection)
            raise
        self._connection = connection
        return UpstreamResponse(exchange)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)
