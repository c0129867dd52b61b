"""One answer as it comes in over a connection (HTTP/1.1, RFC 9112), with time kept on it and its memory bounded."""

import asyncio
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from common.errors import UpstreamError
from providers.client import failures
from providers.wire.shapes import Deadlines

# Of all that is not body: the head, interim answers, trailers, what is between chunks.
LARGEST_FRAMING: Final = 32 * 1024
READ_BUFFER: Final = 256 * 1024


class Exchange:
    """`headed` once status and headers are there, `over` once the whole body came, or else there is a `failure`.

    `headers` have lower-case names; those that were sent several times are joined by commas (RFC 9110 section 5.3).
    One timer rings for whatever deadline comes first and is set anew only then: one for each chunk would cost more than
    reading the chunk. It counts as silence only while somebody waits to read.
    """

    __slots__ = (
        "_between", "_buffered", "_first_byte", "_framing", "_head_at", "_loop", "_parser", "_paused", "_pieces",
        "_rings_at", "_since", "_timer", "_total_at", "_transport", "_uploading", "_waiter",
        "failure", "headed", "headers", "over", "reusable", "status",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        deadlines: Deadlines,
        total_at: float,
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._between = deadlines.between_chunks
        self._first_byte = deadlines.first_byte
        self._head_at = loop.time() + deadlines.first_byte
        self._total_at = total_at
        self._parser = HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._framing = 0
        self._paused = False
        self._uploading = False
        self._since: float | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.headed = False
        self.over = False
        self.reusable = False
        self.failure: UpstreamError | None = None
        self._ring_at(min(self._head_at, total_at))

    # What the reader asks for.

    async def head(self) -> None:
        """Returns when status and headers are there. Raises the failure that kept them from coming."""
        while not self.headed:
            if self.failure is not None:
                raise self.failure
            await self._arrival()

    async def piece(self) -> bytes:
        """What came of the body since the last call, at most about READ_BUFFER bytes; nothing at its end.

        What came before a failure is delivered first.
        """
        pieces = self._pieces
        while not pieces:
            if self.over:
                return b""
            if self.failure is not None:
                raise self.failure
            await self._arrival()
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._buffered = 0
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return whole

    def stop(self) -> None:
        """Nobody asks any more. The parser holds on to its exchange: without it both go at once."""
        self._timer.cancel()
        del self._parser

    def _arrival(self) -> "asyncio.Future[None]":
        self._since = self._loop.time()
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def _wake(self) -> None:
        self._since = None
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # What the connection tells.

    def feed(self, received: bytes) -> None:
        self._framing += len(received)
        try:
            self._parser.feed_data(received)
        except (HttpParserError, HttpParserUpgrade):
            self.reusable = False
            self.fail(failures.cut_short() if self.headed else failures.no_http())
        else:
            if self._framing > LARGEST_FRAMING:
                self.fail(failures.no_http())
        if self._buffered > READ_BUFFER and not self._paused and not self.over:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def lost(self, *, closed: bool) -> None:
        """An answer without a length of its own ends when the connection is closed (RFC 9112 section 6.3, rule 8)."""
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        if not self.headed:
            self.fail(failures.reset())
        elif framed or not closed:
            self.fail(failures.cut_short())
        elif self.failure is None:
            self.over = True
        self._wake()

    def fail(self, failure: UpstreamError) -> None:
        """The first failure counts, and none counts after the end."""
        if not self.over and self.failure is None:
            self.failure = failure

    def uploading(self, under_way: bool) -> None:
        """The wait for the answer begins when the request has left."""
        self._uploading = under_way
        self._head_at = self._loop.time() + self._first_byte

    # What the parser calls (github.com/MagicStack/httptools).

    def on_message_begin(self) -> None:
        """A second answer to one request makes the connection worthless."""
        if self.over:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.headed:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """An interim answer, as 100 Continue, is none (RFC 9110 section 15.2)."""
        status = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()
        elif not self.headed:
            self.status, self.headed = status, True
            soonest = self._loop.time() + self._between
            if soonest < self._rings_at:
                self._timer.cancel()
                self._ring_at(min(soonest, self._total_at))

    def on_body(self, body: bytes) -> None:
        if self.over:
            return
        self._framing = 0
        self._pieces.append(body)
        self._buffered += len(body)

    def on_message_complete(self) -> None:
        if self.headed and not self.over:
            self.over = True
            self.reusable = self._parser.should_keep_alive()
            self._framing = 0

    # Time.

    def _ring_at(self, moment: float) -> None:
        self._rings_at = moment
        self._timer = self._loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        now = self._loop.time()
        due = self._due(now)
        if self.over or self.failure is not None:
            return
        if now >= self._total_at:
            self.fail(failures.overdue() if self.headed else failures.silent())
        elif now >= due:
            self.fail(failures.stalled() if self.headed else failures.silent())
        else:
            self._ring_at(min(due, self._total_at))
            return
        self._wake()

    def _due(self, now: float) -> float:
        """When the silence has lasted too long."""
        if not self.headed:
            return now + self._first_byte if self._uploading else self._head_at
        return (now if self._since is None else self._since) + self._between
