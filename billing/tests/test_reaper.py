"""What dead processes left: settled once, flagged, and corrected when the truth comes after all."""

import asyncio
import re
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from django.core.management import CommandError, call_command

from billing import tasks
from billing.ledger import reaper, statements
from billing.ledger.connection import LedgerConnection
from billing.ledger.inserts import insert_intents, insert_settlements
from billing.ledger.partitions import create_partitions
from billing.ledger.reaper import reap
from billing.ledger.rows import not_dispatched
from billing.ledger.verification import verify
from billing.ledger.writer import LedgerWriter
from billing.tests.entries import (
    connect,
    database_url,
    entries_of,
    id_made_at,
    make_intent,
    make_settlement,
    plain,
    register_process,
    store,
    utc_now,
)
from common.ids import new_id
from providers.wire.shapes import Usage

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(hours=1)
AMOUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cost_nano", "charge_nano")


@asynccontextmanager
async def ledger_connection():
    connection = LedgerConnection(database_url(), name="test")
    await connection.ensure()
    try:
        yield connection
    finally:
        await connection.close()


async def dead_process(*intents_changes):
    """A process that wrote its intents, then fell silent a while ago."""
    process_id = new_id()
    register_process(process_id, heartbeat_at=utc_now() - timedelta(minutes=1))
    intents = [make_intent(process_id=process_id, **changes) for changes in intents_changes or ({},)]
    async with ledger_connection() as connection:
        await insert_intents(connection, intents)
    return process_id, intents


async def reaped(**options):
    return await asyncio.to_thread(reap, now=utc_now() + LONG_AGO, **options)


async def settled(*settlements):
    async with ledger_connection() as connection:
        await insert_settlements(connection, settlements)


def registered(process_id):
    (row,) = connect().execute("SELECT * FROM public.billing_process WHERE id = %s", [process_id]).fetchall()
    return row


async def test_an_open_intent_of_a_dead_process_is_settled_as_killed():
    process_id, (intent,) = await dead_process()
    await reaped()
    row = entries_of(intent)["settlement"]
    assert (row["outcome"], row["usage_source"], row["error_code"]) == ("killed", "estimated", "process_died")
    assert (row["input_tokens"], row["output_tokens"]) == (100, 0)
    assert (row["cost_nano"], row["charge_nano"], row["price_version"]) == (1_000, 0, "test-1")
    assert (row["tenant_id"], row["started_at"]) == (intent.tenant_id, intent.dispatched_at)
    assert registered(process_id)["reaped_at"] is not None


async def test_reaping_again_changes_nothing():
    _, (intent,) = await dead_process()
    await reaped()
    before = entries_of(intent)
    await reaped()
    assert entries_of(intent) == before


async def test_settled_intents_and_other_attempts_are_left_alone():
    request_id = new_id()
    _, (first, second) = await dead_process({"request_id": request_id}, {"request_id": request_id, "attempt": 2})
    await settled(make_settlement(first))
    await reaped()
    assert entries_of(first)["settlement"]["outcome"] == "completed"
    assert entries_of(second)["settlement"]["outcome"] == "killed"


@pytest.fixture
def crowd():
    """More processes than one run takes, silent for longer than the others and reaped a moment ago."""
    host = f"crowd-{new_id()}"
    with connect() as connection:
        connection.execute(
            "INSERT INTO public.billing_process"
            " (id, kind, host, pid, started_at, heartbeat_at, watermark_at, ended_at, reaped_at)"
            " SELECT gen_random_uuid(), 'test', %s, 1, t, t, t, t, now() + interval '1 hour'"
            " FROM generate_series(1, 600), (SELECT now() - interval '1 day' AS t) AS long_ago",
            [host],
        )
        yield
        connection.execute("DELETE FROM public.billing_process WHERE host = %s", [host])


async def test_a_crowd_reaped_a_moment_ago_keeps_nobody_waiting(crowd):
    process_id, (intent,) = await dead_process()
    await reaped()
    assert entries_of(intent)["settlement"]["outcome"] == "killed"
    assert registered(process_id)["reaped_at"] is not None


async def test_a_living_process_keeps_its_open_intents():
    writer = LedgerWriter(database_url(), process_id=new_id(), kind="test")
    await writer.start()
    intent = make_intent(process_id=writer.process_id)
    await writer.open(intent)
    await asyncio.to_thread(reap)
    assert entries_of(intent) == {}
    writer.settle(make_settlement(intent))
    await writer.drain(5)
    assert set(entries_of(intent)) == {"settlement"}


async def test_a_process_that_said_goodbye_is_reaped_at_once():
    process_id = new_id()
    register_process(process_id, heartbeat_at=utc_now(), ended_at=utc_now())
    intent = make_intent(process_id=process_id)
    async with ledger_connection() as connection:
        await insert_intents(connection, [intent])
    await asyncio.to_thread(reap)
    assert entries_of(intent)["settlement"]["outcome"] == "killed"


async def test_nobody_is_dead_for_having_been_silent_while_the_database_was_down():
    with connect() as connection:
        started = connection.execute("SELECT pg_postmaster_start_time() AS at").fetchone()["at"]
    process_id = new_id()
    register_process(process_id, heartbeat_at=started - timedelta(minutes=5))
    await asyncio.to_thread(reap, now=started + timedelta(seconds=10))
    assert registered(process_id)["reaped_at"] is None
    await asyncio.to_thread(reap, now=started + timedelta(seconds=20))
    assert registered(process_id)["reaped_at"] is not None


async def test_a_process_taken_for_dead_is_alive_when_it_speaks_again():
    writer = LedgerWriter(database_url(), process_id=new_id(), kind="test")
    await writer.start()
    await reaped()
    assert registered(writer.process_id)["reaped_at"] is not None
    async with asyncio.timeout(10):
        while registered(writer.process_id)["reaped_at"]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert registered(writer.process_id)["ended_at"] is None
    await writer.drain(5)


async def test_what_a_reaped_process_opens_before_it_dies_again_is_reaped_too():
    process_id, _ = await dead_process()
    await reaped()
    late = make_intent(process_id=process_id)
    async with ledger_connection() as connection:
        await insert_intents(connection, [late])
    await reaped()
    assert entries_of(late)["settlement"]["outcome"] == "killed"


async def test_a_true_settlement_after_the_reaper_becomes_a_correction_and_the_sum_is_the_truth():
    _, (intent,) = await dead_process()
    await reaped()
    truth = make_settlement(intent, usage=Usage(90, 30, 10), cost_nano=4_321, charge_nano=5_000)
    await settled(truth)
    await settled(truth)
    entries = entries_of(intent)
    assert set(entries) == {"settlement", "correction"}
    correction = entries["correction"]
    assert [correction[name] for name in AMOUNTS] == [-10, 30, 10, 3_321, 5_000]
    assert (correction["outcome"], correction["usage_source"]) == ("completed", "provider")
    sums = [entries["settlement"][name] + correction[name] for name in AMOUNTS]
    assert sums == [90, 30, 10, 4_321, 5_000]


async def test_a_true_settlement_before_the_reaper_stays_alone():
    _, (intent,) = await dead_process()
    await settled(make_settlement(intent))
    await reaped()
    assert {kind: row["outcome"] for kind, row in entries_of(intent).items()} == {"settlement": "completed"}


async def test_the_reaper_first_by_a_hair():
    """The truth is sent while the reaper's guess is written and not committed yet."""
    process_id, (intent,) = await dead_process()
    with connect() as guess:
        guess.autocommit = False
        guess.execute(reaper.SETTLE, {"process_id": process_id, "watermark_at": utc_now()})
        truth = asyncio.create_task(settled(make_settlement(intent)))
        await asyncio.sleep(0.2)
        assert not truth.done()
        guess.commit()
        await truth
    entries = entries_of(intent)
    assert (entries["settlement"]["outcome"], entries["correction"]["outcome"]) == ("killed", "completed")
    assert entries["settlement"]["charge_nano"] + entries["correction"]["charge_nano"] == 5_000


async def test_the_truth_first_by_a_hair():
    """The reaper comes while the true settlement is written and not committed yet."""
    process_id, (intent,) = await dead_process()
    with connect() as truth:
        truth.autocommit = False
        truth.execute(plain(statements.INSERT_SETTLEMENTS), [statements.encode_settlements([make_settlement(intent)])])
        guess = asyncio.create_task(reaped())
        await asyncio.sleep(0.3)
        assert not guess.done()
        truth.commit()
        await guess
    assert {kind: row["outcome"] for kind, row in entries_of(intent).items()} == {"settlement": "completed"}
    assert registered(process_id)["reaped_at"] is not None


def test_after_kill_minus_nine_every_attempt_has_one_settlement():
    process_id = new_id()
    command = [sys.executable, "-m", "billing.tests.spender", str(process_id)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as spender:
        assert spender.stdout is not None
        announced = {UUID(spender.stdout.readline().strip()) for _ in range(200)}
        spender.kill()
        announced |= {UUID(line) for line in spender.stdout.read().split()}
    reap(now=utc_now() + LONG_AGO)
    with connect() as connection:
        intents, settlements = (
            connection.execute(
                f"SELECT request_id, {column} AS said FROM public.{table} WHERE process_id = %s", [process_id]
            ).fetchall()
            for table, column in (("billing_intent", "NULL"), ("billing_settlement", "outcome"))
        )
    assert announced <= {row["request_id"] for row in intents}
    assert sorted(row["request_id"] for row in settlements) == sorted(row["request_id"] for row in intents)
    assert {row["said"] for row in settlements} == {"completed", "killed"}


async def test_two_reapers_at_once_settle_once():
    _, intents = await dead_process(*({} for _ in range(20)))
    await asyncio.gather(reaped(), reaped(), reaped())
    await reaped()
    assert all(set(entries_of(intent)) == {"settlement"} for intent in intents)


async def test_an_intent_older_than_the_watermark_is_not_looked_for():
    """The bound of the scan: what lies before the watermark was settled, by the process's own word."""
    process_id = new_id()
    now = utc_now()
    register_process(process_id, heartbeat_at=now - timedelta(minutes=1), watermark_at=now)
    old = make_intent(process_id=process_id, dispatched_at=now - timedelta(minutes=30))
    open_one = make_intent(process_id=process_id, dispatched_at=now)
    async with ledger_connection() as connection:
        await insert_intents(connection, [old, open_one])
    await reaped()
    assert entries_of(old) == {}
    assert entries_of(open_one)["settlement"]["outcome"] == "killed"
    await settled(make_settlement(old))


async def test_the_check_sees_an_attempt_without_settlement_and_a_settlement_without_attempt():
    since = utc_now() + timedelta(days=2)
    lost, stray = intent_made_at(since), intent_made_at(since)
    before = await checked(since)
    async with ledger_connection() as connection:
        await insert_intents(connection, [lost])
    await settled(make_settlement(stray))
    broken = await checked(since)
    assert not broken.kept
    assert (broken.lost - before.lost, broken.without_intent - before.without_intent) == (1, 1)
    await settled(make_settlement(lost))
    async with ledger_connection() as connection:
        await insert_intents(connection, [stray])
    whole = await checked(since)
    assert whole.kept
    assert whole.settled - before.settled == 2


async def test_the_check_counts_the_killed_and_the_corrected():
    since = utc_now() + timedelta(days=3)
    process_id = new_id()
    register_process(process_id, heartbeat_at=utc_now() - timedelta(minutes=1))
    intents = [
        msgspec.structs.replace(intent_made_at(since), process_id=process_id, dispatched_at=utc_now()) for _ in range(3)
    ]
    before = await checked(since)
    async with ledger_connection() as connection:
        await insert_intents(connection, intents)
    await settled(not_dispatched(intents[2], error_code="test"))
    await reaped()
    await settled(make_settlement(intents[0]))
    verdict = await checked(since)
    assert verdict.kept
    assert (verdict.killed - before.killed, verdict.corrected - before.corrected) == (2, 1)
    assert (verdict.not_dispatched - before.not_dispatched, verdict.intents - before.intents) == (1, 3)


def test_a_charge_for_a_killed_attempt_is_a_violation():
    # Longer ago than any other check looks, because what is written stays.
    since = utc_now() - timedelta(days=60)
    create_partitions(today=since.date())
    killed = intent_made_at(since)
    before = verify(since=since)
    store(intents=[killed], settlements=[make_settlement(killed, outcome="killed", charge_nano=1)])
    verdict = verify(since=since)
    assert not verdict.kept
    assert verdict.charged_though_killed - before.charged_though_killed == 1


def test_the_tasks_do_what_the_schedule_asks_of_them():
    process_id = new_id()
    register_process(process_id, heartbeat_at=utc_now(), ended_at=utc_now())
    store(intents=[make_intent(process_id=process_id)])
    assert tasks.reap() >= 1
    assert tasks.create_partitions() == 0


def test_the_commands_speak_and_the_check_fails_aloud(capsys):
    call_command("reap_ledger", "--stale-after", "3600")
    assert "settled" in capsys.readouterr().out
    since = utc_now() + timedelta(days=5)
    call_command("check_ledger", "--since", since.isoformat())
    assert "exactly one settlement" in capsys.readouterr().out
    lost = intent_made_at(since)
    store(intents=[lost])
    with pytest.raises(CommandError, match="does not hold") as broken:
        call_command("check_ledger", "--since", since.isoformat())
    store(settlements=[make_settlement(lost)])
    assert broken.value.returncode == 1
    assert re.search(r"^lost +1$", capsys.readouterr().out, re.MULTILINE)


def intent_made_at(moment):
    """Of a later time, so that a check from there on sees this test alone."""
    return make_intent(request_id=id_made_at(moment + timedelta(seconds=1)))


async def checked(since):
    return await asyncio.to_thread(verify, since=since)
