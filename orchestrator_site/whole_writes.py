"""uvicorn's HTTP protocol with the head of a response and the first of its body in one write, and short heads only.

uvicorn writes them separately, and uvloop sends each at once: two system calls, two packets, and a reader woken twice.
And it takes in the head of a request however long that is: here more than MOST_HEAD bytes are answered with 431.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD: Final = b"HTTP/1."
MOST_HEAD: Final = 65_536
TOO_LONG: Final = f"The head of the request is longer than {MOST_HEAD} bytes.\n".encode()
# RFC 6585 section 5.
REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(TOO_LONG), TOO_LONG)
)


class HeadHeld:
    """A transport that holds a response's head back until the next write, or until the loop's next turn."""

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, piece: bytes) -> None:
        head = self._head
        if head:
            self._head = b""
            self._transport.write(head + piece)
        elif piece.startswith(HEAD):
            self._head = piece
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(piece)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class WholeWrites(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, HeadHeld(transport, self.loop))
        self._pending = 0
        self._refused = False

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        # What has become neither a request nor part of a body: a head, or trailers, that the parser gathers.
        self._pending += len(data)
        super().data_received(data)
        if self._pending > MOST_HEAD and not self.transport.is_closing():
            self._refuse()

    def on_headers_complete(self) -> None:
        # The read that ends a head may have a body behind it.
        if self._pending > MOST_HEAD and size_of(self.url, self.headers) > MOST_HEAD:
            self._refuse()
            raise ValueError("The parser stops here, and uvicorn answers that the request was invalid.")
        self._pending = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._pending = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        if not self._refused:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        self._refused = True
        self.transport.write(REFUSAL)
        self.transport.close()


def size_of(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """Bytes of a head."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
