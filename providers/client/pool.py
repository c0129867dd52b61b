"""The open connections to all providers, bounded, the most recently used one first."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from providers.client import failures
from providers.client.address import Address
from providers.client.connection import Connection, connected
from providers.egress.policy import AddressRefused, Scope

KEEP_ALIVE_SECONDS: Final = 15.0

# Of a host, the addresses that it leads to and that may be connected to. Raises OSError and AddressRefused.
Places = Callable[[str, Scope], Awaitable[Sequence[str]]]


class Pool:
    """At most `size` connections are open, in use and idle together; who finds none waits in line."""

    def __init__(self, size: int, places: Places, tls: ssl.SSLContext | None = None) -> None:
        self._size = size
        self._places = places
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(size)
        self._in_use: set[Connection] = set()
        self._connecting = 0
        self._closed = False
        self._idle: dict[Address, list[Connection]] = defaultdict(list)
        self._sweeper: asyncio.TimerHandle | None = None

    async def take(self, address: Address, seconds: float) -> Connection:
        """A connection for one exchange, to be given back. Raises UpstreamUnreachable and UpstreamTimeout after
        `seconds` for the turn and the connection together."""
        if not self._turns.locked() and (idle := self._idle.get(address)) and (kept := usable(idle, self._loop.time())):
            await self._turns.acquire()
            self._in_use.add(kept)
            return kept
        try:
            async with asyncio.timeout(seconds):
                return await self._wait_and_connect(address)
        except TimeoutError:
            raise failures.connected_late() from None
        except AddressRefused:
            raise failures.not_allowed() from None
        except (OSError, ValueError):
            raise failures.unreachable() from None

    async def _wait_and_connect(self, address: Address) -> Connection:
        await self._turns.acquire()
        try:
            connection = usable(self._idle[address], self._loop.time()) or await self._connect(address)
        except BaseException:
            self._turns.release()
            raise
        self._in_use.add(connection)
        return connection

    async def _connect(self, address: Address) -> Connection:
        self._connecting += 1
        try:
            self._make_room()
            connection = await self._reach(address)
        finally:
            self._connecting -= 1
        if self._closed:
            connection.drop()
            raise ConnectionAbortedError
        return connection

    async def _reach(self, address: Address) -> Connection:
        """To the first of the host's places that answers."""
        tls = self._context() if address.tls else None
        *others, last = await self._places(address.host, address.scope)
        for place in others:
            with suppress(OSError):
                return await connected(address, place, tls)
        return await connected(address, last, tls)

    def give_back(self, connection: Connection) -> None:
        """Kept for the next call if it is still good, dropped otherwise."""
        self._in_use.discard(connection)
        if connection.finish(self._loop.time()):
            self._idle[connection.address].append(connection)
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(KEEP_ALIVE_SECONDS, self._sweep)
        self._turns.release()

    def close(self) -> None:
        """Drops every connection; answers under way break off."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in [*self._in_use, *self._all_idle()]:
            connection.drop()
        self._idle.clear()

    def _all_idle(self) -> list[Connection]:
        return [connection for kept in self._idle.values() for connection in kept]

    def _make_room(self) -> None:
        """Idle connections elsewhere give way, the longest unused first."""
        idle = self._all_idle()
        if idle and len(self._in_use) + self._connecting + len(idle) > self._size:
            oldest = min(idle, key=lambda connection: connection.idle_since)
            self._idle[oldest.address].remove(oldest)
            oldest.drop()

    def _sweep(self) -> None:
        """Drops what was idle too long or closed by its peer; rings on while anything is idle."""
        now = self._loop.time()
        for connection in self._all_idle():
            if expired(connection, now):
                connection.drop()
        kept = {address: [each for each in idle if not each.lost] for address, idle in self._idle.items()}
        self._idle = defaultdict(list, {address: idle for address, idle in kept.items() if idle})
        self._sweeper = self._loop.call_later(KEEP_ALIVE_SECONDS, self._sweep) if self._idle else None

    def _context(self) -> ssl.SSLContext:
        """Made when it is first needed: reading the machine's certificates takes a while."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def usable(idle: list[Connection], now: float) -> Connection | None:
    while idle:
        connection = idle.pop()
        if not expired(connection, now):
            return connection
        connection.drop()
    return None


def expired(connection: Connection, now: float) -> bool:
    return connection.lost or now - connection.idle_since > KEEP_ALIVE_SECONDS
