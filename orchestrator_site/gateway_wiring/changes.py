"""Hears of changed configuration by NOTIFY, so that an idle process learns of it at once rather than by its next poll.

What is announced is only that something changed; the truth is read from PostgreSQL by the poll that follows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg
import structlog

from common.errors import Unavailable
from common.postgres import GIVEN_UP_WHEN_SILENT
from tenants.config_version import CHANNEL

log = structlog.get_logger(__name__)

RECONNECT_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 5
SILENCE_SECONDS: Final = 30.0


async def follow_changes(database_url: str, poll: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled. While PostgreSQL is away it tries again; the gateway polls in any case."""
    told = ""
    while True:
        try:
            await listen(database_url, poll)
        except (psycopg.Error, OSError, TimeoutError, Unavailable) as error:
            if told != type(error).__name__:
                told = type(error).__name__
                log.warning("configuration_listener_lost", error=told)
            await asyncio.sleep(RECONNECT_SECONDS)


async def listen(database_url: str, poll: Callable[[], Awaitable[None]]) -> None:
    """On a connection of its own. Raises when that is lost, or the poll fails."""
    async with await psycopg.AsyncConnection.connect(
        database_url,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name="orchestrator configuration",
        **GIVEN_UP_WHEN_SILENT,
    ) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        while True:
            # Several announcements that have arrived together are one reason to look.
            if [each async for each in connection.notifies(timeout=SILENCE_SECONDS, stop_after=1)]:
                await poll()
                continue
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.execute("SELECT 1")
