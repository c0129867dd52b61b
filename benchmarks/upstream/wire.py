"""HTTP/1.1 on a bare transport, so that an answer can be broken at any byte.

One `Wire` a connection: keep-alive, requests answered in order, one asyncio task an answer, cancelled
the moment the client is gone.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast

import httptools
import msgspec

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Incoming(msgspec.Struct, frozen=True):
    """A request in full; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


Answer = Callable[[], Awaitable[None]]
Answering = Callable[["Wire", Incoming], Answer]


class Wire(asyncio.Protocol):
    """`answer(wire, incoming)` is called the moment a request is complete, and what it returns is awaited in its turn.

    It writes with the methods below.
    """

    def __init__(self, answer: "Answering", living: set["Wire"]) -> None:
        self._answer = answer
        self._living = living
        self._waiting: deque[tuple[Incoming, Answer]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.gone = False
        self.keep_alive = True
        self._parser = httptools.HttpRequestParser(self)
        self._forget()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio.Transport, only like one.
        self.transport = cast(asyncio.Transport, transport)
        self._living.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._living.discard(self)
        self._writable.set()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.transport.close()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _forget(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        if name.lower() == b"expect":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        path = self._url.decode("latin-1").partition("?")[0]
        keep_alive = self._parser.should_keep_alive()
        incoming = Incoming(method, path, self._headers, bytes(self._body), keep_alive)
        self._waiting.append((incoming, self._answer(self, incoming)))
        self._forget()
        if self._task is None:
            self._task = asyncio.ensure_future(self._answer_all())

    async def _answer_all(self) -> None:
        try:
            while self._waiting and not self.transport.is_closing():
                incoming, answer = self._waiting.popleft()
                self.keep_alive = incoming.keep_alive
                await answer()
                if not self.keep_alive:
                    self.transport.close()
        finally:
            self._task = None

    def stop(self) -> "asyncio.Task[None] | None":
        """Ends the answer under way, if there is one, and the connection."""
        task = self._task
        if task is not None:
            task.cancel()
        self.transport.close()
        return task

    def head(self, status: int, headers: dict[str, str], *, length: int | None) -> bytes:
        """Status line and headers; without `length` the body that follows is chunked."""
        framing = {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase if status in set(HTTPStatus) else 'Odd'}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **framing}.items()]
        lines.append("connection: " + ("keep-alive" if self.keep_alive else "close"))
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    async def write(self, payload: bytes) -> None:
        """Hands bytes to the socket, and waits while its buffer is full."""
        self.transport.write(payload)
        if not self._writable.is_set():
            await self._writable.wait()

    async def chunk(self, payload: bytes) -> None:
        """One chunk of a chunked body; an empty one ends it."""
        await self.write(b"%x\r\n%s\r\n" % (len(payload), payload))

    async def reset(self) -> None:
        """Sends what is buffered, then RST instead of FIN: the peer sees a connection reset."""
        await asyncio.sleep(0.005)
        handle = self.transport.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.keep_alive = False
        self.transport.abort()

    def close(self) -> None:
        """Ends the connection cleanly after what was written."""
        self.keep_alive = False
        self.transport.close()
