"""A TCP road to PostgreSQL that can be cut, frozen, or lose the answers on the way back."""

import asyncio
import os
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class Road:
    """Forwards both ways while open. `url` is DATABASE_URL by way of this road."""

    def __init__(self):
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.Task[Any]] = set()
        self.url = ""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.loses_answers = False

    async def __aenter__(self):
        await self.open()
        return self

    async def __aexit__(self, *_):
        self.thaw()
        await self.cut()

    async def open(self):
        port = urlsplit(self.url).port if self._server else 0
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", port)
        there = urlsplit(os.environ["DATABASE_URL"])
        login = there.netloc.rpartition("@")[0]
        port = self._server.sockets[0].getsockname()[1]
        self.url = urlunsplit(there._replace(netloc=f"{login}@127.0.0.1:{port}"))

    async def cut(self):
        """Reset what is connected, and refuse what comes."""
        assert self._server is not None
        self._server.close()
        for task in list(self._pairs):
            task.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    def freeze(self):
        """Keep connections open and carry nothing, as a server that hangs."""
        self._flowing.clear()

    def thaw(self):
        self._flowing.set()

    async def _carry(self, near_reader, near_writer):
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        there = urlsplit(os.environ["DATABASE_URL"])
        far_writer = None
        try:
            far_reader, far_writer = await asyncio.open_connection(there.hostname, there.port)
            await asyncio.gather(self._there(near_reader, far_writer), self._back(far_reader, near_writer))
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self._pairs.discard(task)
            for writer in (near_writer, far_writer):
                if writer is not None:
                    with suppress(RuntimeError):
                        writer.transport.abort()

    async def _there(self, reader, writer):
        while piece := await reader.read(65536):
            await self._flowing.wait()
            writer.write(piece)
            await writer.drain()
        raise EOFError

    async def _back(self, reader, writer):
        while piece := await reader.read(65536):
            await self._flowing.wait()
            if self.loses_answers:
                self.loses_answers = False
                raise EOFError
            writer.write(piece)
            await writer.drain()
        raise EOFError
