"""Prepared commands over a connection whose socket is watched for as long as it lives.

psycopg's own cursor converts the query, and starts and ends the watching of the socket for each wait: a tenth of all
that a lone request costs. These are libpq's own asynchronous commands (postgresql.org/docs/current/libpq-async.html).
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

Parameter = str | int | UUID | datetime


class PreparedCommands:
    """One command at a time; the caller sees to that, and to deadlines. The connection is nobody else's from now on.

    Parameters travel as text, which the server reads as the type of the column or of the cast.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._pgconn: PGconn = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._names: dict[bytes, bytes] = {}
        self._answer: asyncio.Future[PGresult] | None = None
        self._last: PGresult | None = None
        self._pgconn.nonblocking = 1
        self._socket = self._pgconn.socket
        self._watched = True
        self._loop.add_reader(self._socket, self._readable)

    async def run(self, query: bytes, parameters: Sequence[Parameter]) -> int:
        """Committed by itself; how many rows it wrote. Raises psycopg.Error, the server's or the network's."""
        name = self._names.get(query)
        if name is None:
            name = b"command_%d" % len(self._names)
            self._pgconn.send_prepare(name, query)
            await self._answered()
            self._names[query] = name
        self._pgconn.send_query_prepared(name, [str(value).encode() for value in parameters])
        return (await self._answered()).command_tuples or 0

    def close(self) -> None:
        """The socket is no longer watched; it is closed by whoever opened it.

        Only the first time: libpq closes a broken connection's socket by itself, and its number is soon another's.
        """
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    async def _answered(self) -> PGresult:
        self._answer = answer = self._loop.create_future()
        self._flush()
        result: PGresult = await answer
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
        return result

    def _flush(self) -> None:
        try:
            if self._pgconn.flush():
                self._loop.add_writer(self._socket, self._flush)
            else:
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._broken(error)

    def give_up(self) -> None:
        """Fails the command under way at once, whether or not the socket has anything to say about it."""
        self._broken(psycopg.OperationalError("no answer in time"))

    def _readable(self) -> None:
        """Looks twice where the answer is not whole: of a socket that was reset libuv tells once, though what came
        before the reset is still to be read."""
        try:
            self._read()
            if self._answer is not None:
                self._read()
        except psycopg.Error as error:
            self._broken(error)

    def _read(self) -> None:
        pgconn = self._pgconn
        pgconn.consume_input()
        while self._answer is not None and not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                self._finished()
            else:
                self._last = result

    def _finished(self) -> None:
        answer, self._answer = self._answer, None
        result, self._last = self._last, None
        if answer is None or answer.done():
            return
        if result is None:
            answer.set_exception(psycopg.OperationalError("the server gave no result"))
        else:
            answer.set_result(result)

    def _broken(self, error: psycopg.Error) -> None:
        """A closed socket stays readable for ever: it is watched no longer."""
        self.close()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
