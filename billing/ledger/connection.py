"""One PostgreSQL connection of the ledger, with deadlines that hold even when the server hangs.

psycopg answers a cancelled command by asking the server to cancel it, and waits up to ten seconds
for one that is hung. So a command is never cancelled here: when its time is over, the socket is
shut down under it.
"""

import asyncio
import os
import random
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
import structlog

from billing.ledger.commands import Parameter, PreparedCommands
from common.postgres import GIVEN_UP_WHEN_SILENT

log = structlog.get_logger(__name__)

ROLE = "orchestrator_system"
CONNECT_SECONDS = 5
SESSION = (
    "SELECT set_config('role', %s, false), set_config('search_path', 'pg_catalog', false),"
    " set_config('statement_timeout', %s, false), set_config('synchronous_commit', 'on', false),"
    " set_config('TimeZone', 'UTC', false), current_setting('transaction_read_only')"
)


class ConnectionLost(Exception):
    """No answer, so the outcome is unknown: the same rows must be sent again."""


class RowRefused(Exception):
    """The server, or the encoding, refuses at least one of the rows, and will again."""


class PartitionMissing(Exception):
    """A row's month has no partition yet."""


class LedgerConnection:
    """Connects when `ensure` is called, and stays connected until a command fails.

    `command_seconds` bounds a command; the server is told to give up a little earlier, so that a
    slow command ends with an answer.
    """

    def __init__(self, database_url: str, *, name: str, command_seconds: float = 5.0) -> None:
        self._database_url = database_url
        self._name = name
        self._command_seconds = command_seconds
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._prepared: PreparedCommands | None = None
        self._failures = 0
        self._commands = asyncio.Lock()
        self._connects = asyncio.Lock()

    @property
    def connected(self) -> bool:
        return self._prepared is not None

    async def ensure(self) -> None:
        """Returns once connected, however long it takes; waits longer after each failure, up to a second."""
        while self._prepared is None:
            async with self._connects:
                if self._prepared is not None:
                    return
                if self._failures:
                    await asyncio.sleep(min(1.0, 0.02 * 2**self._failures) * random.uniform(0.5, 1.0))  # noqa: S311
                try:
                    await self._connect()
                # RuntimeError: uvloop's, for a socket's number that a transport just closed has not given up yet.
                except (psycopg.Error, OSError, TimeoutError, RuntimeError) as error:
                    self._failures = min(self._failures + 1, 10)
                    log.warning("ledger_connect_failed", connection=self._name, error=str(error) or repr(error))

    async def execute(self, query: bytes, parameters: Sequence[Parameter]) -> int:
        """Run one command, prepared and committed by itself; how many rows it wrote.

        Raises ConnectionLost, RowRefused or PartitionMissing.
        """
        async with self._commands:
            if self._prepared is None:
                raise ConnectionLost
            overdue = asyncio.get_running_loop().call_later(self._command_seconds, self._give_up)
            try:
                written = await self._prepared.run(query, parameters)
            except psycopg.errors.CheckViolation as error:
                raise (RowRefused if error.diag.constraint_name else PartitionMissing) from error
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                raise RowRefused from error
            # RuntimeError: the event loop's, which says nothing about the rows.
            except (psycopg.Error, RuntimeError) as error:
                log.warning("ledger_command_failed", connection=self._name, error=type(error).__name__)
                await self._drop()
                raise ConnectionLost from error
            except BaseException:
                await self._drop()
                raise
            finally:
                overdue.cancel()
            self._failures = 0
            return written

    async def close(self) -> None:
        """Hang up, so that a command under way ends at once with ConnectionLost."""
        self._give_up()
        async with self._commands:
            await self._drop()

    async def _connect(self) -> None:
        connection = await asyncio.wait_for(
            psycopg.AsyncConnection.connect(
                self._database_url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name=f"orchestrator {self._name}",
                **GIVEN_UP_WHEN_SILENT,
            ),
            CONNECT_SECONDS,
        )
        self._connection = connection
        overdue = asyncio.get_running_loop().call_later(CONNECT_SECONDS, self._hang_up)
        try:
            patience = max(int(self._command_seconds * 900), 1)
            cursor = await connection.execute(SESSION, [ROLE, str(patience)])
            session = await cursor.fetchone()
            if session is None or session[-1] != "off":
                raise psycopg.OperationalError("the server is read-only")
        except BaseException:
            await self._drop()
            raise
        finally:
            overdue.cancel()
        try:
            self._prepared = PreparedCommands(connection)
        except BaseException:
            await self._drop()
            raise

    def _give_up(self) -> None:
        """No event of the socket is waited for: there may be none any more."""
        self._hang_up()
        if self._prepared is not None:
            self._prepared.give_up()

    def _hang_up(self) -> None:
        if self._connection is None or self._connection.closed:
            return
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._connection.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        prepared, self._prepared = self._prepared, None
        self._failures = min(self._failures + 1, 10)
        if prepared is not None:
            prepared.close()
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()
