"""The ledger writer against a real PostgreSQL, on good roads and bad ones."""

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import uvloop

from billing.ledger.partitions import add_months
from billing.ledger.writer import Caps, LedgerWriter, kept_up
from billing.tests.entries import (
    connect,
    database_url,
    entries_of,
    id_made_at,
    make_intent,
    make_settlement,
    rows,
    utc_now,
)
from billing.tests.road import Road
from common.errors import Unavailable
from common.ids import earliest_id, new_id
from providers.wire.shapes import Usage

pytestmark = pytest.mark.usefixtures("django_db_setup")

QUICK = Caps(intent_deadline=1.0, command_seconds=0.5, intent_age=0.4)


@asynccontextmanager
async def running(url=None, caps=None):
    writer = LedgerWriter(url or database_url(), process_id=new_id(), kind="test", caps=caps)
    await writer.start()
    assert writer.accepting
    try:
        yield writer
    finally:
        await writer.drain(3)


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def intents_of(writer, count):
    return [make_intent(process_id=writer.process_id) for _ in range(count)]


async def test_an_intent_is_durable_when_open_returns():
    async with running() as writer:
        (intent,) = intents_of(writer, 1)
        await writer.open(intent)
        (row,) = rows("billing_intent", request_id=intent.request_id)
    assert row["tenant_id"] == intent.tenant_id
    assert row["api_key_id"] == intent.api_key_id
    assert row["dispatched_at"] == intent.dispatched_at
    assert row["estimated_cost_nano"] == 1_000
    assert row["user_id"] is None


async def test_a_settlement_is_written_behind_with_all_its_figures():
    async with running() as writer:
        (intent,) = intents_of(writer, 1)
        await writer.open(intent)
        usage = Usage(1, 2, 3, 4, 5, 6, 7, 8)
        writer.settle(make_settlement(intent, usage=usage, finish_reason='st"op\\', outcome="cut"))
        assert await writer.drain(5) == 0
    row = entries_of(intent)["settlement"]
    assert [row[name] for name in usage.__struct_fields__] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (row["cost_nano"], row["charge_nano"]) == (4_321, 5_000)
    assert (row["finish_reason"], row["outcome"], row["started_at"]) == ('st"op\\', "cut", intent.dispatched_at)


async def test_a_task_that_fails_or_ends_in_a_way_nobody_thought_of_is_begun_again():
    begun: asyncio.Queue[str] = asyncio.Queue()

    async def work():
        begun.put_nowait("begun")
        if begun.qsize() == 1:
            raise RuntimeError("nobody thought of this")
        if begun.qsize() == 3:
            await asyncio.Event().wait()

    task = asyncio.create_task(kept_up(work))
    await until(lambda: begun.qsize() == 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_queues_together_is_committed_together():
    async with running() as writer:
        tenant_id = new_id()
        intents = [make_intent(process_id=writer.process_id, tenant_id=tenant_id) for _ in range(300)]
        await asyncio.gather(*(writer.open(intent) for intent in intents))
        for intent in intents:
            writer.settle(make_settlement(intent))
        await writer.drain(5)
    written = rows("billing_intent", tenant_id=tenant_id)
    settled = rows("billing_settlement", tenant_id=tenant_id)
    assert len(written) == len(settled) == 300
    assert len({row["wrote"] for row in written}) <= 3
    assert len({row["wrote"] for row in settled}) <= 3


async def test_the_same_row_twice_is_there_once():
    async with running() as writer:
        (intent,) = intents_of(writer, 1)
        await writer.open(intent)
        await writer.open(intent)
        for _ in range(3):
            writer.settle(make_settlement(intent))
        assert await writer.drain(5) == 0
    assert len(rows("billing_intent", request_id=intent.request_id)) == 1
    assert set(entries_of(intent)) == {"settlement"}


async def test_a_lost_answer_means_unknown_and_the_same_id_is_sent_again():
    async with Road() as road, running(road.url) as writer:
        (intent,) = intents_of(writer, 1)
        road.loses_answers = True
        await writer.open(intent)
        writer.settle(make_settlement(intent))
        road.loses_answers = True
        assert await writer.drain(5) == 0
    assert len(rows("billing_intent", request_id=intent.request_id)) == 1
    assert set(entries_of(intent)) == {"settlement"}


async def test_settlements_wait_for_a_database_that_is_away():
    async with Road() as road, running(road.url) as writer:
        intents = intents_of(writer, 50)
        await asyncio.gather(*(writer.open(intent) for intent in intents))
        await road.cut()
        for intent in intents:
            writer.settle(make_settlement(intent))
        await asyncio.sleep(0.3)
        assert writer.gauges().settlements_queued == 50
        await road.open()
        assert await writer.drain(10) == 0
    assert all(set(entries_of(intent)) == {"settlement"} for intent in intents)


async def test_with_the_database_away_requests_are_refused_and_later_taken_again():
    async with Road() as road, running(road.url, QUICK) as writer:
        await road.cut()
        (intent,) = intents_of(writer, 1)
        with pytest.raises(Unavailable) as refusal:
            await writer.open(intent)
        assert refusal.value.retry_after
        assert not writer.accepting
        await road.open()
        await until(lambda: writer.accepting)
        await writer.open(intents_of(writer, 1)[0])
    assert rows("billing_intent", request_id=intent.request_id) == []


async def test_a_hanging_database_neither_hangs_the_caller_nor_leaves_an_open_intent():
    async with Road() as road, running(road.url, QUICK) as writer:
        road.freeze()
        intents = intents_of(writer, 5)
        results = await asyncio.gather(*(writer.open(intent) for intent in intents), return_exceptions=True)
        assert all(isinstance(result, Unavailable) for result in results)
        assert not writer.accepting
        road.thaw()
        await until(lambda: writer.accepting)
        assert await writer.drain(10) == 0
    # Whatever the server made of what it was sent, nothing is left open.
    for intent in intents:
        if rows("billing_intent", request_id=intent.request_id):
            assert entries_of(intent)["settlement"]["outcome"] == "not_dispatched"


async def test_a_caller_that_goes_away_while_its_intent_is_written_leaves_nothing_open():
    async with Road() as road, running(road.url) as writer:
        (intent,) = intents_of(writer, 1)
        road.freeze()
        opening = asyncio.create_task(writer.open(intent))
        await until(lambda: writer.gauges().intents_queued == 1)
        await asyncio.sleep(0.05)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        road.thaw()
        await until(lambda: rows("billing_intent", request_id=intent.request_id))
        assert await writer.drain(5) == 0
    settlement = entries_of(intent)["settlement"]
    assert (settlement["outcome"], settlement["charge_nano"]) == ("not_dispatched", 0)
    assert writer.gauges().open_intents == 0


async def test_a_poisoned_settlement_costs_no_good_one_and_keeps_its_own_money():
    async with running() as writer:
        intents = intents_of(writer, 40)
        await asyncio.gather(*(writer.open(intent) for intent in intents))
        for number, intent in enumerate(intents):
            bad = {"finish_reason": "s\x00top", "usage": Usage(input_tokens=2**70)} if number == 17 else {}
            writer.settle(make_settlement(intent, **bad))
        assert await writer.drain(5) == 0
        assert writer.gauges().refused_rows == 1
    assert all("settlement" in entries_of(intent) for intent in intents)
    salvaged = entries_of(intents[17])["settlement"]
    assert (salvaged["finish_reason"], salvaged["cost_nano"], salvaged["input_tokens"]) == ("stop", 4_321, 2**63 - 1)


async def test_a_row_that_can_never_be_written_is_counted_and_blocks_nobody():
    async with running() as writer:
        bad, (good, other) = make_intent(attempt=0), intents_of(writer, 2)
        results = await asyncio.gather(writer.open(good), writer.open(bad), writer.open(other), return_exceptions=True)
        assert results[0] is None
        assert isinstance(results[1], Unavailable)
        assert results[2] is None
        writer.settle(make_settlement(bad))
        writer.settle(make_settlement(good))
        writer.settle(make_settlement(other))
        assert await writer.drain(5) == 0
        assert writer.gauges().refused_rows == 2
    assert "settlement" in entries_of(good)
    assert "settlement" in entries_of(other)


async def test_the_log_holds_the_row_that_was_refused(capsys, caplog):
    async with running() as writer:
        bad = make_intent(attempt=0)
        writer.settle(make_settlement(bad))
        await writer.drain(5)
    said = "".join(capsys.readouterr()) + caplog.text
    assert "ledger_row_refused" in said
    assert str(bad.request_id) in said
    assert "4321" in said


async def test_a_full_settlement_queue_refuses_new_requests():
    async with Road() as road, running(road.url, Caps(settlement_rows=10)) as writer:
        intents = intents_of(writer, 10)
        await asyncio.gather(*(writer.open(intent) for intent in intents))
        road.freeze()
        for intent in intents:
            writer.settle(make_settlement(intent))
        assert not writer.accepting
        with pytest.raises(Unavailable):
            await writer.open(intents_of(writer, 1)[0])
        road.thaw()
        await until(lambda: writer.accepting)


async def test_draining_says_goodbye_and_takes_no_more():
    async with running() as writer:
        (intent,) = intents_of(writer, 1)
        await writer.open(intent)
        writer.settle(make_settlement(intent))
        await writer.drain(5)
        with pytest.raises(Unavailable):
            await writer.open(make_intent())
        with connect() as connection:
            process = connection.execute(
                "SELECT * FROM public.billing_process WHERE id = %s", [writer.process_id]
            ).fetchone()
    assert process["ended_at"] is not None
    assert (process["kind"], process["reaped_at"]) == ("test", None)


async def test_draining_gives_up_in_time_when_the_database_hangs():
    async with Road() as road, running(road.url) as writer:
        (intent,) = intents_of(writer, 1)
        await writer.open(intent)
        road.freeze()
        writer.settle(make_settlement(intent))
        started = time.monotonic()
        assert await writer.drain(0.5) == 1
        assert time.monotonic() - started < 5


async def test_the_watermark_is_the_oldest_open_intent():
    async with running() as writer:
        old, new = (
            make_intent(process_id=writer.process_id, dispatched_at=utc_now() - timedelta(minutes=age))
            for age in (9, 1)
        )
        await writer.open(new)
        await writer.open(old)
        assert writer._watermark() == old.dispatched_at
        writer.settle(make_settlement(old))
        await until(lambda: writer.gauges().open_intents == 1)
        assert writer._watermark() == new.dispatched_at
        writer.settle(make_settlement(new))


async def test_a_request_of_last_month_settled_this_month_shares_its_intents_partition():
    first = add_months(utc_now().date(), 0)
    last_millisecond = datetime(first.year, first.month, 1, tzinfo=UTC) - timedelta(milliseconds=1)
    request_id = id_made_at(last_millisecond)
    async with running() as writer:
        intent = make_intent(request_id=request_id, process_id=writer.process_id, dispatched_at=utc_now())
        await writer.open(intent)
        writer.settle(make_settlement(intent))
        await writer.drain(5)
    month = f"{last_millisecond:_%Y_%m}"
    assert rows("billing_intent", request_id=request_id)[0]["partition"] == f"billing_intent{month}"
    assert entries_of(intent)["settlement"]["partition"] == f"billing_settlement{month}"


async def test_a_month_that_nobody_made_is_made_by_the_writer():
    month = add_months(utc_now().date(), 9)
    with connect(role=None) as owner:
        for table in ("intent", "settlement"):
            owner.execute(f"DROP TABLE IF EXISTS public.billing_{table}_{month:%Y_%m}")
    moment = datetime(month.year, month.month, 15, tzinfo=UTC)
    async with running() as writer:
        far = make_intent(request_id=earliest_id(moment), process_id=writer.process_id)
        near = make_intent(process_id=writer.process_id)
        await asyncio.gather(writer.open(far), writer.open(near))
        writer.settle(make_settlement(far))
        await writer.drain(5)
    assert rows("billing_intent", request_id=far.request_id)[0]["partition"] == f"billing_intent_{month:%Y_%m}"
    assert "settlement" in entries_of(far)
    assert rows("billing_intent", request_id=near.request_id)


async def test_a_month_out_of_all_reason_is_refused():
    async with running() as writer:
        with pytest.raises(Unavailable):
            await writer.open(make_intent(request_id=earliest_id(datetime(2050, 1, 1, tzinfo=UTC))))


def test_it_runs_on_uvloop_too():
    async def once():
        async with running() as writer:
            (intent,) = intents_of(writer, 1)
            await writer.open(intent)
            writer.settle(make_settlement(intent))
            assert await writer.drain(5) == 0
            return intent

    intent = uvloop.run(once())
    assert "settlement" in entries_of(intent)


def test_on_uvloop_too_it_hangs_up_on_a_database_that_hangs():
    async def once():
        async with Road() as road, running(road.url, QUICK) as writer:
            road.freeze()
            with pytest.raises(Unavailable):
                await writer.open(intents_of(writer, 1)[0])
            road.thaw()
            await until(lambda: writer.accepting)
            await writer.open(intents_of(writer, 1)[0])

    uvloop.run(once())
