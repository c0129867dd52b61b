"""The ledger under a PostgreSQL that is killed while it writes: nothing lost, nothing doubled."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from billing.ledger.rows import Intent
from billing.ledger.writer import LedgerWriter
from billing.tests.entries import make_intent, make_settlement
from common.errors import Unavailable
from common.ids import new_id
from orchestrator_site.embedded.services import EmbeddedServices

ROOT = Path(__file__).resolve().parents[2]
KILLS = 3


@pytest.fixture(scope="module")
def services(reachable_folder):
    services = EmbeddedServices(reachable_folder / "ledger")
    addresses = services.start()
    environment = {
        **os.environ,
        "DATABASE_URL": addresses.database_url,
        "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.migration",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate_all"],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=sys.stderr,
        timeout=120,
    )
    yield services
    services.stop()


async def spend(writer, opened, finished):
    """Attempts one after the other: each intent durable, then settled. Refused ones are tried anew."""
    while not finished.is_set():
        intent = make_intent(process_id=writer.process_id)
        try:
            await writer.open(intent)
        except Unavailable:
            await asyncio.sleep(0.02)
            continue
        opened.append(intent)
        await asyncio.sleep(0.001)
        writer.settle(make_settlement(intent, cost_nano=len(opened)))


async def load_with_kills(services):
    writer = LedgerWriter(services.addresses().database_url, process_id=new_id(), kind="test")
    await writer.start()
    opened: list[Intent] = []
    finished = asyncio.Event()
    spenders = [asyncio.create_task(spend(writer, opened, finished)) for _ in range(20)]
    for _ in range(KILLS):
        before = len(opened)
        while len(opened) < before + 200:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        os.kill(services.postgres.pid(), signal.SIGKILL)
        await asyncio.to_thread(services.start)
    before = len(opened)
    while len(opened) < before + 200:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    finished.set()
    await asyncio.gather(*spenders)
    assert await writer.drain(20) == 0
    return opened


def test_no_settlement_is_lost_or_doubled_when_postgresql_is_killed(services):
    opened = asyncio.run(load_with_kills(services))
    with psycopg.connect(services.addresses().database_url, autocommit=True) as connection:
        connection.execute("SET ROLE orchestrator_system")
        intents = {row[0] for row in connection.execute("SELECT request_id FROM public.billing_intent")}
        settled = connection.execute("SELECT request_id, outcome, kind FROM public.billing_settlement").fetchall()
    assert {intent.request_id for intent in opened} <= intents
    completed = [request_id for request_id, outcome, _ in settled if outcome == "completed"]
    assert sorted(completed) == sorted(intent.request_id for intent in opened)
    # Beside them only what was refused to its caller although it may have been written.
    assert {outcome for _, outcome, _ in settled} <= {"completed", "not_dispatched"}
    assert {kind for _, _, kind in settled} == {"settlement"}
    assert intents <= {request_id for request_id, _, _ in settled}
