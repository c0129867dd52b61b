"""Requests per minute, against a real Valkey with the time held in hand."""

import asyncio
import os
from uuid import UUID

import pytest

from billing.limits.admission import Admission, Lookup
from common.ids import new_id
from common.redis import RedisConnection
from tenants.identity import version_key

START = 1_800_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def admission(redis):
    return Admission(redis)


@pytest.fixture
def tenant() -> UUID:
    return new_id()


async def burst(admission, tenant, key, limit, count, at):
    return [await admission.admit(tenant, key, limit, now_microseconds=at) for _ in range(count)]


@pytest.mark.parametrize("limit", [1, 7, 60, 600, 999])
async def test_a_burst_is_exactly_the_limit(admission, tenant, limit):
    results = await burst(admission, tenant, new_id(), limit, limit + 3, START)
    assert [each.allowed for each in results] == [True] * limit + [False] * 3
    assert [each.remaining for each in results] == [*range(limit - 1, -1, -1), 0, 0, 0]
    assert results[0].limit == limit


async def test_no_limit_is_no_limit(admission, tenant):
    for none in (None, 0):
        results = await burst(admission, tenant, new_id(), none, 50, START)
        assert all(each.allowed and each.limit is None for each in results)


@pytest.mark.parametrize("limit", [1, 7, 60, 601])
async def test_waiting_exactly_as_told_succeeds_and_less_does_not(admission, tenant, limit):
    key, now = new_id(), START
    await burst(admission, tenant, key, limit, limit, now)
    for _ in range(5):
        refused = await admission.admit(tenant, key, limit, now_microseconds=now)
        assert not refused.allowed
        assert refused.retry_after_ms > 0
        early = await admission.admit(tenant, key, limit, now_microseconds=now + (refused.retry_after_ms - 2) * 1000)
        assert not early.allowed
        now += refused.retry_after_ms * 1000
        assert (await admission.admit(tenant, key, limit, now_microseconds=now)).allowed


async def test_refill_is_steady(admission, tenant):
    key = new_id()
    await burst(admission, tenant, key, 60, 60, START)
    for second in range(1, 30):
        results = await burst(admission, tenant, key, 60, 2, START + second * SECOND)
        assert [each.allowed for each in results] == [True, False]


async def test_reset_tells_when_the_whole_limit_is_back(admission, tenant):
    key = new_id()
    last = (await burst(admission, tenant, key, 60, 30, START))[-1]
    assert last.reset_ms == 30_000
    results = await burst(admission, tenant, key, 60, 61, START + last.reset_ms * 1000)
    assert [each.allowed for each in results] == [True] * 60 + [False]


async def test_never_more_than_limit_and_refill_over_any_span(admission, tenant):
    key, allowed = new_id(), 0
    for tick in range(600):
        allowed += (await admission.admit(tenant, key, 30, now_microseconds=START + tick * SECOND // 5)).allowed
    assert allowed == 30 + 119 // 2


async def test_keys_do_not_share_a_limit(admission, tenant):
    await burst(admission, tenant, new_id(), 3, 4, START)
    assert (await admission.admit(tenant, new_id(), 3, now_microseconds=START)).allowed


async def test_a_changed_limit_is_followed_at_once(admission, tenant):
    key = new_id()
    await burst(admission, tenant, key, 1, 2, START)
    raised = await admission.admit(tenant, key, 6000, now_microseconds=START + SECOND)
    assert raised.retry_after_ms <= 10
    assert (await admission.admit(tenant, key, 6000, now_microseconds=START + SECOND + 10_000)).allowed


async def test_a_clock_set_back_does_not_lock_the_key_out(admission, tenant):
    key = new_id()
    await burst(admission, tenant, key, 60, 60, START + 3600 * SECOND)
    refused = await admission.admit(tenant, key, 60, now_microseconds=START)
    assert refused.retry_after_ms == 1000


async def test_connections_together_never_exceed_the_limit_by_the_server_clock(redis, tenant):
    other = RedisConnection(os.environ["REDIS_URL"])
    key = new_id()
    calls = [Admission(each).admit(tenant, key, 50) for each in (redis, other) * 60]
    results = await asyncio.gather(*calls)
    await other.close()
    # The clock runs on while they arrive: at 50 a minute no more than one comes back in a second.
    assert 50 <= sum(each.allowed for each in results) <= 51


async def test_it_is_one_round_trip_and_leaves_nothing_behind(redis, admission, tenant):
    key = new_id()
    await admission.admit(tenant, key, 60)
    sent = []
    submit = redis._submit

    def watched(packed, replies):
        sent.append(packed)
        return submit(packed, replies)

    redis._submit = watched
    await admission.admit(tenant, key, 60)
    assert len(sent) == 1
    expiry = await redis.call("PTTL", f"{{t:{tenant.hex}}}:rpm:{key.hex}")
    assert 0 < expiry <= 2000


async def test_the_version_comes_along(redis, admission, tenant):
    assert (await admission.admit(tenant, new_id(), 60)).config_version is None
    await redis.call("SET", version_key(tenant), 41)
    assert (await admission.admit(tenant, new_id(), 60)).config_version == 41
    assert (await admission.admit(tenant, new_id(), 0)).config_version == 41
    assert await admission.version(tenant) == 41


async def test_a_version_is_replaced_only_where_nothing_moved(admission, tenant):
    assert await admission.replace_version(tenant, seen=None, true=7)
    assert not await admission.replace_version(tenant, seen=None, true=6)
    assert await admission.version(tenant) == 7
    assert await admission.replace_version(tenant, seen=7, true=5)
    assert await admission.version(tenant) == 5


@pytest.fixture
async def kept(redis, tenant):
    """An answer that was kept, under a name that the tenant's index knows."""
    lookup = Lookup(f"{{t:{tenant.hex}}}:answer", f"{{t:{tenant.hex}}}:used", "answer")
    await redis.call("SET", lookup.key, b"kept \x00\xff")
    await redis.call("ZADD", lookup.used, 1, lookup.name)
    return lookup


async def test_an_answer_comes_along_and_is_noted_as_used(redis, admission, tenant, kept):
    for limit in (0, 60):
        admitted = await admission.admit(tenant, new_id(), limit, kept, now_microseconds=START)
        assert (admitted.allowed, admitted.found) == (True, b"kept \x00\xff")
    assert int(await redis.call("ZSCORE", kept.used, kept.name)) == START // 1000


async def test_without_an_answer_nothing_comes_along_and_nothing_is_noted(redis, admission, tenant, kept):
    other = Lookup(kept.key + "2", kept.used, "other")
    assert (await admission.admit(tenant, new_id(), 60, other)).found is None
    assert (await admission.admit(tenant, new_id(), 60)).found is None
    assert await redis.call("ZCARD", kept.used) == 1


async def test_an_answer_that_was_kept_counts_as_a_request_and_is_not_given_beyond_the_limit(admission, tenant, kept):
    key = new_id()
    results = [await admission.admit(tenant, key, 2, kept, now_microseconds=START) for _ in range(3)]
    assert [(each.allowed, each.found is not None) for each in results] == [(True, True), (True, True), (False, False)]


async def test_looking_up_is_the_same_round_trip_and_brings_the_version(redis, admission, tenant, kept):
    await redis.call("SET", version_key(tenant), 41)
    await admission.admit(tenant, new_id(), 60, kept)
    sent = []
    submit = redis._submit

    def watched(packed, replies):
        sent.append(packed)
        return submit(packed, replies)

    redis._submit = watched
    admitted = await admission.admit(tenant, new_id(), 60, kept)
    assert (admitted.config_version, admitted.found, len(sent)) == (41, b"kept \x00\xff", 1)
