"""A provider on a real socket that does what a script says, and what is sent to it."""

import asyncio
import socket
import struct
from contextlib import asynccontextmanager

import pytest

from common.errors import UpstreamError
from providers.client import UpstreamClient
from providers.egress.policy import parsed_policy
from providers.egress.resolver import Resolver
from providers.wire.shapes import Deadlines, UpstreamRequest

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Vendor: one\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LOOPBACK = Resolver(parsed_policy(("127.0.0.0/8", "::1"))).places
SHORT = Deadlines(connect=0.3, first_byte=0.3, between_chunks=0.3, total=5.0)


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def sized(body: bytes, status: str = "200 OK", extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status.encode(), extra, len(body), body)


class Vendor:
    """Runs `script(reader, writer, head, body)` for each request, and remembers what it saw."""

    def __init__(self, script):
        self.script = script
        self.requests: list[tuple[bytes, bytes]] = []
        self.connections = 0
        self.asked = asyncio.Condition()
        self.gone = asyncio.Event()
        self.client = UpstreamClient(8, LOOPBACK)
        self.port = 0

    async def has_been_asked(self, times: int) -> None:
        async with self.asked:
            await self.asked.wait_for(lambda: len(self.requests) >= times)

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                body = await reader.readexactly(length)
                async with self.asked:
                    self.requests.append((head, body))
                    self.asked.notify_all()
                await self.script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.gone.set()
        finally:
            writer.close()


@asynccontextmanager
async def vendor(script):
    made = Vendor(script)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    await made.client.open()
    try:
        yield made
    finally:
        await made.client.close()
        server.close()


def ask(made: Vendor, body: bytes = b"{}", deadlines: Deadlines = SHORT, headers=(), extra=()):
    request = UpstreamRequest(
        url=f"http://127.0.0.1:{made.port}/v1/chat/completions", headers=headers, body=body, stream=True
    )
    return made.client.send(request, deadlines, extra)


def answers(*parts: bytes, close: bool = False):
    async def script(reader, writer):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        if close:
            writer.close()

    return script


async def silent(reader, writer):
    await reader.read(1)
    raise ConnectionError


async def fails(made: Vendor, deadlines: Deadlines = SHORT, limit: int = 1000) -> UpstreamError:
    with pytest.raises(UpstreamError) as failure:
        async with ask(made, deadlines=deadlines) as response:
            await response.read(limit)
    assert str(made.port) not in failure.value.message
    return failure.value


def reset(writer) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
