"""Boards of several processes on one real Redis, and on none."""

import asyncio
import os

import pytest

from common.ids import new_id
from common.redis import RedisConnection
from gateway.targets.board import Board
from gateway.targets.shared import PROBE, VITALS
from gateway.tests.held_clock import HeldClock
from gateway.tests.stage import eventually
from providers import circuits


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
async def redis():
    connection = RedisConnection(os.environ["REDIS_URL"])
    await connection.open()
    await connection.call("DEL", circuits.KEY, VITALS)
    yield connection
    await connection.call("DEL", circuits.KEY, VITALS)
    await connection.close()


@pytest.fixture
def key():
    return f"t:{new_id().hex}/own/model#a"


@pytest.fixture
def boards(clock, redis):
    return [Board(clock, redis, process=name, draw=lambda: 0.0) for name in ("one", "two")]


def fail(board, key, times=5, kind="failed", retry_after=None):
    for _ in range(times):
        board.began(key).failed(kind, retry_after)


def may(board, key):
    return board.admissible([key, "platform/spare/model#"])[0].may


async def kept(redis, key):
    return circuits.decode([(key.encode(), value)] if (value := await redis.call("HGET", circuits.KEY, key)) else [])


async def told(redis, key):
    """The command that a board has just sent is done when one that was sent after it is."""
    await asyncio.sleep(0)
    return (await kept(redis, key)).get(key)


async def test_an_opened_circuit_is_learnt_at_the_next_turn_and_its_closing_too(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    trouble = await told(redis, key)
    assert (trouble.failures, trouble.cause) == (5, "failed")
    assert may(two, key) == "yes"
    await two.share()
    assert may(two, key) == "open"
    assert two.circuit(key).cause == "failed"
    clock.pass_by(1)
    assert may(two, key) == "probe"
    assert await two.claim_probe(key)
    two.began(key, probe=True).succeeded()
    assert await told(redis, key) is None
    assert may(one, key) == "probe"
    await one.share()
    assert may(one, key) == "yes"


async def test_of_two_processes_exactly_one_probes(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    await told(redis, key)
    await two.share()
    clock.pass_by(1)
    claims = await asyncio.gather(*(board.claim_probe(key) for board in (one, two) * 10))
    assert sum(claims) == 1
    holder, other = (one, two) if claims[0::2].count(True) else (two, one)
    assert may(other, key) == "open"
    clock.pass_by(0.6)
    assert may(other, key) == "probe"
    assert not await other.claim_probe(key)
    holder.began(key, probe=True).abandoned()
    await told(redis, key)
    clock.pass_by(0.6)
    assert await other.claim_probe(key)


async def test_who_was_not_told_yet_that_a_probe_failed_does_not_probe_in_the_same_interval(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    await told(redis, key)
    await two.share()
    clock.pass_by(1)
    assert await one.claim_probe(key)
    one.began(key, probe=True).failed("silent")
    await told(redis, key)
    assert may(two, key) == "probe"
    assert not await two.claim_probe(key)
    assert two.admissible([key, "other"])[0].seconds == pytest.approx(2.0, abs=0.1)
    clock.pass_by(2)
    assert await two.claim_probe(key)


async def test_who_was_not_told_yet_that_a_probe_succeeded_goes_on_as_with_a_closed_circuit(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    await told(redis, key)
    await two.share()
    clock.pass_by(1)
    assert await one.claim_probe(key)
    one.began(key, probe=True).succeeded()
    await told(redis, key)
    assert await two.claim_probe(key)
    assert may(two, key) == "yes"
    await told(redis, key)
    assert await redis.call("EXISTS", PROBE + key) == 0


async def test_a_claim_whose_process_died_is_free_when_its_lease_is_over(clock, redis, key):
    one = Board(clock, redis, process="one", draw=lambda: 0.0, lease=0.2)
    two = Board(clock, redis, process="two", draw=lambda: 0.0, lease=0.2)
    fail(one, key)
    await told(redis, key)
    await two.share()
    clock.pass_by(1)
    assert await one.claim_probe(key)

    async def claimed():
        clock.pass_by(0.6)
        return await two.claim_probe(key)

    assert not await claimed()
    assert await eventually(claimed)


async def test_a_probe_that_takes_long_keeps_its_claim_as_long_as_its_process_lives(clock, redis, key):
    one = Board(clock, redis, process="one", draw=lambda: 0.0, lease=5.0)
    fail(one, key)
    clock.pass_by(1)
    assert await one.claim_probe(key)
    flight = one.began(key, probe=True)
    await redis.call("PEXPIRE", PROBE + key, 1000)
    clock.pass_by(60)
    await one.share()
    assert await redis.call("PTTL", PROBE + key) > 4000
    flight.succeeded()
    await told(redis, key)
    assert await redis.call("EXISTS", PROBE + key) == 0


async def test_a_claim_given_up_while_redis_was_asked_is_free(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    await told(redis, key)
    await two.share()
    clock.pass_by(1)
    asking = asyncio.create_task(one.claim_probe(key))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await told(redis, key)
    assert await two.claim_probe(key)


async def test_a_rest_is_learnt_and_ends_by_itself(boards, clock, redis, key):
    one, two = boards
    fail(one, key, 1, "rate_limited", 20.0)
    await told(redis, key)
    await two.share()
    assert may(two, key) == "resting"
    clock.pass_by(21)
    assert may(two, key) == "yes"
    await two.share()
    assert await told(redis, key) is None


async def test_what_nobody_has_probed_for_minutes_is_forgotten(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    await told(redis, key)
    clock.pass_by(circuits.SECONDS_KEPT + 2)
    await two.share()
    assert await told(redis, key) is None
    await one.share()
    assert may(one, key) == "yes"


async def test_vitals_of_other_processes_are_added_until_these_are_silent(boards, clock, redis, key):
    one, two = boards
    flight = one.began(key)
    clock.pass_by(0.8)
    flight.first_chunk()
    await one.share()
    await two.share()
    await one.share()
    assert (one.live_processes, two.live_processes) == (2, 2)
    assert (two.vitals(key).in_flight, two.vitals(key).samples) == (1, 0)
    assert two.vitals(key).ewma == pytest.approx(0.8)
    clock.pass_by(2.9)
    await two.share()
    assert (two.vitals(key).in_flight, two.live_processes) == (1, 2)
    clock.pass_by(3.1)
    await two.share()
    assert (two.vitals(key).in_flight, two.vitals(key).ewma, two.live_processes) == (0, 0, 1)


async def test_a_process_that_leaves_is_not_counted_any_more(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    clock.pass_by(1)
    assert await one.claim_probe(key)
    await one.share()
    await two.share()
    assert two.live_processes == 2
    await one.leave()
    await two.share()
    assert two.live_processes == 1
    assert await two.claim_probe(key)


async def test_a_report_is_bounded_and_what_cannot_be_read_is_left_out(boards, redis):
    one, two = boards
    for number in range(700):
        one.began(f"platform/vendor/model-{number}#")
    await redis.call("HSET", VITALS, "another version", b"\xc1")
    await redis.call("HSET", circuits.KEY, "platform/vendor/model#", b"{}x")
    await one.share()
    await two.share()
    assert two.live_processes == 2
    known = [number for number in range(700) if two.vitals(f"platform/vendor/model-{number}#").in_flight]
    assert known == list(range(200, 700))


async def test_a_tenants_broken_targets_do_not_take_the_others_room(boards, redis, key):
    one, two = boards
    for number in range(300):
        fail(one, f"{key}-{number}", 1, "credential")
        if number % 50 == 49:
            await told(redis, key)
            await one.share()
    fail(one, "platform/vendor/model#")
    await told(redis, key)
    assert 200 <= await redis.call("HLEN", circuits.KEY) <= 251
    await two.share()
    assert may(two, "platform/vendor/model#") == "open"
    assert {may(one, f"{key}-{number}") for number in range(300)} == {"open"}


async def test_without_redis_each_process_is_for_itself_and_the_truth_is_told_later(clock, redis, key):
    gone = RedisConnection("redis://127.0.0.1:1/0", timeout=0.2)
    await gone.open()
    one, two = (Board(clock, gone, process=name, draw=lambda: 0.0) for name in ("one", "two"))
    fail(one, key)
    await two.share()
    await one.share()
    assert (may(one, key), may(two, key), one.live_processes) == ("open", "yes", 1)
    clock.pass_by(1)
    assert [await one.claim_probe(key), await one.claim_probe(key)] == [True, False]
    one.began(key, probe=True).succeeded()
    assert may(one, key) == "yes"
    await one.leave()
    assert one.lost_writes >= 3
    await gone.close()


async def test_what_redis_did_not_take_is_told_at_the_next_turn(boards, clock, redis, key):
    one, two = boards
    fail(one, key)
    await told(redis, key)
    await told(redis, key)
    other = f"{key}-other"
    # Redis has lost its memory, and refuses what it is told next.
    await redis.call("SET", circuits.KEY, "in the way")
    fail(one, other)
    await asyncio.sleep(0)
    await redis.call("DEL", circuits.KEY)
    assert (may(one, key), may(one, other)) == ("open", "open")
    assert one.lost_writes == 1
    await one.share()
    await two.share()
    assert (may(one, other), may(two, other)) == ("open", "open")
    assert may(one, key) == "yes"
