"""Every connection to PostgreSQL of ours gives up a server that has gone silent."""

import asyncio

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from billing.ledger.connection import LedgerConnection
from common.postgres import GIVEN_UP_WHEN_SILENT
from orchestrator_site.gateway_wiring.changes import follow_changes
from orchestrator_site.settings.databases import database

pytestmark = pytest.mark.django_db(transaction=True)


def gives_up(made):
    expected = {name: str(value) for name, value in GIVEN_UP_WHEN_SILENT.items()}
    return expected.items() <= made.info.get_parameters().items()


def test_djangos_connection():
    connection.ensure_connection()
    assert gives_up(connection.connection)


def test_a_url_may_say_otherwise():
    assert database("postgresql://u@h/n?tcp_user_timeout=9")["OPTIONS"]["tcp_user_timeout"] == "9"


async def test_the_connections_beside_django(monkeypatch):
    made = []
    real = psycopg.AsyncConnection.connect

    async def connect(*args, **kwargs):
        made.append(await real(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)

    async def nothing():
        pass

    ledger = LedgerConnection(settings.ENVIRONMENT.database_url, name="test")
    await ledger.ensure()
    listener = asyncio.create_task(follow_changes(settings.ENVIRONMENT.database_url, nothing))
    while len(made) < 2:  # noqa: ASYNC110 (the driver tells nobody)
        await asyncio.sleep(0.01)
    try:
        assert [gives_up(each) for each in made] == [True, True]
    finally:
        listener.cancel()
        await ledger.close()
