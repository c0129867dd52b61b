"""uvicorn's HTTP protocol with the head of a response and the first of its body in one write.

uvicorn writes them separately, and uvloop sends each at once: two system calls, two packets, and a reader woken twice.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD: Final = b"HTTP/1."


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
