"""Decision records on their way to a real PostgreSQL: behind the settlements, and never in anybody's way."""

import asyncio
import math
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from billing.decisions.records import Considered, Tried
from billing.decisions.salvage import LONGEST, MOST, fits, salvaged
from billing.ledger.partitions import add_months
from billing.ledger.writer import Caps, LedgerWriter
from billing.tests.entries import (
    connect,
    database_url,
    entries_of,
    id_made_at,
    make_decision,
    make_intent,
    make_settlement,
    rows,
    utc_now,
)
from billing.tests.road import Road
from common.ids import earliest_id, month_of, new_id

pytestmark = pytest.mark.usefixtures("django_db_setup")


@asynccontextmanager
async def running(url=None, caps=None):
    writer = LedgerWriter(url or database_url(), process_id=new_id(), kind="test", caps=caps)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.drain(5)


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def record_of(decision):
    found = rows("billing_decision", request_id=decision.request_id)
    return found[0] if len(found) == 1 else found


async def test_a_record_is_written_behind_with_all_it_says():
    decision = make_decision(make_intent(), auto={"tier": "simple", "score": 0.25}, details={"words": ["a", "b"]})
    async with running() as writer:
        writer.record(decision)
    row = record_of(decision)
    assert (row["tenant_id"], row["api_key_id"], row["month"]) == (
        decision.tenant_id,
        decision.api_key_id,
        month_of(decision.request_id),
    )
    assert (row["outcome"], row["strategy"], row["cache"], row["duration_ms"]) == ("answered", "latency", "off", 40)
    assert row["considered"][0] == {
        "target": "vendor/large",
        "credential": "second",
        "role": "target",
        "verdict": "skipped",
        "reason": "open",
    }
    assert row["tried"][0]["first_chunk_ms"] == 17
    assert (row["limits"], row["auto"], row["details"]) == (
        {"requests_remaining": 599},
        {"tier": "simple", "score": 0.25},
        {"words": ["a", "b"]},
    )


async def test_the_same_record_twice_is_there_once():
    decision = make_decision(make_intent())
    async with running() as writer:
        writer.record(decision)
        await until(lambda: record_of(decision))
        writer.record(msgspec.structs.replace(decision, outcome="failed"))
    assert record_of(decision)["outcome"] == "answered"


async def test_a_lost_answer_means_unknown_and_the_record_is_sent_again():
    decision = make_decision(make_intent())
    async with Road() as road, running(road.url) as writer:
        await until(lambda: writer.accepting)
        road.loses_answers = True
        writer.record(decision)
        await until(lambda: writer.gauges().decisions_queued == 0)
    assert record_of(decision)["outcome"] == "answered"


async def test_when_full_the_oldest_give_way_and_are_counted():
    decisions = [make_decision(make_intent()) for _ in range(25)]
    async with Road() as road, running(road.url, Caps(decision_rows=10)) as writer:
        await road.cut()
        for decision in decisions:
            writer.record(decision)
        gauges = writer.gauges()
        assert (gauges.decisions_queued, gauges.decisions_dropped) == (10, 15)
        assert gauges.oldest_decision_seconds < 5
        await road.open()
        await until(lambda: writer.gauges().decisions_queued == 0)
    kept = [bool(record_of(decision)) for decision in decisions]
    assert kept == [False] * 15 + [True] * 10


async def test_a_full_queue_of_records_refuses_no_request():
    async with Road() as road, running(road.url, Caps(decision_rows=1)) as writer:
        await until(lambda: writer.accepting)
        for _ in range(5):
            writer.record(make_decision(make_intent()))
        assert writer.accepting


async def test_records_wait_while_settlements_are_behind():
    intent = make_intent()
    async with running(caps=Caps(decisions_wait=-1.0)) as writer:
        writer.record(make_decision(intent))
        writer.settle(make_settlement(intent))
        await until(lambda: "settlement" in entries_of(intent))
        assert writer.gauges().decisions_queued == 1
        assert await writer.drain(0.5) == 0
    assert record_of(make_decision(intent)) == []


async def test_settlements_get_past_records_whose_table_is_locked():
    intent = make_intent()
    async with running(caps=Caps(command_seconds=0.3)) as writer:
        with connect(role=None) as owner, owner.transaction():
            owner.execute("LOCK TABLE public.billing_decision IN ACCESS EXCLUSIVE MODE")
            writer.record(make_decision(intent))
            await until(lambda: not writer._settlement_connection.connected)
            writer.settle(make_settlement(intent))
            await until(lambda: "settlement" in entries_of(intent))
            assert writer.gauges().decisions_queued == 1
        await until(lambda: writer.gauges().decisions_queued == 0)
    assert record_of(make_decision(intent))["outcome"] == "answered"


async def test_names_that_cannot_be_stored_stop_no_other_record():
    poisons: list[dict[str, Any]] = [
        {"requested_model": "gp\x00t"},
        {"requested_model": "gp\ud800t"},
        {"considered": (Considered("a/\x00b", None, "target", "tried", "r\udfff"),)},
        {"tried": (Tried(1, "a/b", None, "first", 0, 1, "failed", error_code="\x00bad"),)},
        {"limits": {"na\x00me": "\ud800"}},
        {"duration_ms": 2**40},
    ]
    decisions = [make_decision(make_intent()) for _ in range(40)]
    bad = [make_decision(make_intent(), **poison) for poison in poisons]
    async with running() as writer:
        for decision in decisions[:20] + bad + decisions[20:]:
            writer.record(decision)
        await until(lambda: writer.gauges().decisions_queued == 0)
        assert writer.gauges().decisions_dropped == 0
    assert all(record_of(decision) for decision in decisions)
    stored = [record_of(decision) for decision in bad]
    assert [row["requested_model"] for row in stored[:2]] == ["gpt", "gp?t"]
    assert stored[2]["considered"][0]["target"] == "a/b"
    assert stored[3]["tried"][0]["error_code"] == "bad"
    assert stored[4]["limits"] == {"name": "?"}
    assert stored[5]["duration_ms"] == 2**31 - 1


async def test_a_record_that_can_never_be_written_is_given_up_and_stops_nothing():
    hopeless = make_decision(make_intent(), outcome="nonsense")
    unspeakable = make_decision(make_intent(), details={"what": object()})
    no_number = make_decision(
        make_intent(),
        outcome="nonsense",
        considered=(Considered("a/b", None, "target", "chosen", "r", math.nan),),
    )
    far = make_decision(make_intent(request_id=earliest_id(datetime(2050, 1, 1, tzinfo=UTC))))
    good = make_decision(make_intent())
    async with running() as writer:
        for decision in (hopeless, unspeakable, no_number, far, good):
            writer.record(decision)
        await until(lambda: writer.gauges().decisions_queued == 0)
        assert writer.gauges().decisions_dropped == 4
        assert writer.gauges().refused_rows == 0
    assert record_of(good)


async def test_draining_writes_the_records_after_the_settlements():
    intents = [make_intent() for _ in range(300)]
    async with running() as writer:
        for intent in intents:
            writer.record(make_decision(intent))
            writer.settle(make_settlement(intent))
        assert await writer.drain(10) == 0
    assert all(record_of(make_decision(intent)) for intent in (intents[0], intents[-1]))


async def test_a_database_that_hangs_holds_no_shutdown_up_for_records():
    async with Road() as road, running(road.url) as writer:
        await until(lambda: writer.accepting)
        road.freeze()
        writer.record(make_decision(make_intent()))
        assert await writer.drain(0.3) == 0
        road.thaw()


async def test_a_record_lives_in_the_month_of_its_request_which_is_made_if_missing():
    month = add_months(utc_now().date(), 8)
    with connect(role=None) as owner:
        owner.execute(f"DROP TABLE IF EXISTS public.billing_decision_{month:%Y_%m}")
    decision = make_decision(make_intent(request_id=id_made_at(datetime(month.year, month.month, 9, tzinfo=UTC))))
    async with running() as writer:
        writer.record(decision)
    assert record_of(decision)["partition"] == f"billing_decision_{month:%Y_%m}"


def test_what_others_made_long_is_cut_before_it_waits_in_memory():
    intent = make_intent()
    long = "x" * (LONGEST + 1)
    tried = Tried(1, "a/b", None, "first", 0, 1, "failed", error_code=long)
    for changes in (
        {"requested_model": long},
        {"error_code": long},
        {"tried": (tried,)},
        {"considered": (make_decision(intent).considered[0],) * (MOST + 1)},
    ):
        decision = make_decision(intent, **changes)
        assert not fits(decision)
        assert fits(salvaged(decision))
    assert fits(make_decision(intent))


def test_salvaging_changes_nothing_that_is_sound():
    decision = make_decision(make_intent(), details={"deep": ({"er": (1, 2.5, True, None)},)})
    assert salvaged(decision) == decision


def test_nothing_is_so_deep_that_salvaging_fails():
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert salvaged(make_decision(make_intent(), details={"deep": deep})).details == {"deep": ((((),),),)}


async def test_a_tenants_flood_costs_no_other_tenant_its_records():
    tenants = [new_id() for _ in range(3)]
    quiet = [make_decision(make_intent(tenant_id=tenants[each % 2])) for each in range(4)]
    flood = [make_decision(make_intent(tenant_id=tenants[2])) for _ in range(40)]
    async with Road() as road, running(road.url, Caps(decision_rows=10)) as writer:
        await road.cut()
        for decision in [*quiet[:2], *flood[:20], *quiet[2:], *flood[20:]]:
            writer.record(decision)
        assert (writer.gauges().decisions_queued, writer.gauges().decisions_dropped) == (10, 34)
        await road.open()
        await until(lambda: writer.gauges().decisions_queued == 0)
    assert all(record_of(decision) for decision in quiet)
    # Of its own the oldest give way.
    assert [bool(record_of(decision)) for decision in flood] == [False] * 34 + [True] * 6


async def test_whoever_has_most_gives_way_to_those_who_have_less():
    greedy = [make_decision(make_intent(tenant_id=tenant)) for tenant in [new_id()] * 8]
    modest = [make_decision(make_intent()) for _ in range(2)]
    others = [make_decision(make_intent()) for _ in range(4)]
    async with Road() as road, running(road.url, Caps(decision_rows=10)) as writer:
        await road.cut()
        for decision in [*modest, *greedy, *others]:
            writer.record(decision)
        await road.open()
        await until(lambda: writer.gauges().decisions_queued == 0)
    assert [bool(record_of(decision)) for decision in greedy] == [False] * 4 + [True] * 4
    assert all(record_of(decision) for decision in [*modest, *others])
