"""The cache as the pipeline uses it: what admission read, what memory has, and keeping behind the caller's back."""

import asyncio
from typing import Any

import msgspec
import pytest

from billing.limits.admission import Admission
from common.clock import SystemClock
from common.ids import new_id
from common.redis import RedisConnection
from gateway.cache.exact import ExactCache
from gateway.cache.keeping import Keeping
from gateway.cache.local import LocalAnswers
from gateway.cache.question import Questions
from gateway.cache.room import Room
from gateway.cache.shelf import Shelf
from gateway.cache.stored import Stored, chunks_of
from gateway.cache.taps import Taps
from gateway.cache.tests.asking import USED, asked, completion, heard, question, words
from providers.catalogue import Candidate, Resolution, RouteEntry
from providers.route_policy import CacheRule, RoutePolicy, TargetRule
from providers.tests.recordings import OPENAI
from providers.tests.test_translated import target

STORED = Stored("p", "m", USED, 11, 12, 1000, body=b"kept")


@pytest.fixture
async def away():
    connection = RedisConnection("redis://127.0.0.1:1", timeout=0.2)
    await connection.open()
    yield connection
    await connection.close()


def cache_on(redis, **shelf) -> ExactCache:
    return ExactCache(Shelf(redis, **shelf), LocalAnswers())


async def found_by(redis, asks):
    return (await Admission(redis).admit(asks.tenant_id, new_id(), 60, asks.lookup)).found


async def test_what_was_stored_is_found_by_the_next_admission_and_noted_as_used(redis):
    cache, asks = cache_on(redis), question()
    assert await cache.find(asks, await found_by(redis, asks)) is None
    await cache.store(asks, STORED)
    lookup = asks.lookup
    await redis.call("ZADD", lookup.used, "XX", 1, lookup.name)
    assert await cache.find(asks, await found_by(redis, asks)) == STORED
    assert float(await redis.call("ZSCORE", lookup.used, lookup.name)) > 1
    assert await cache.find(question(), await found_by(redis, question())) is None


async def test_where_redis_is_away_this_process_remembers(away):
    cache, asks = cache_on(away), question()
    await cache.store(asks, STORED)
    assert await cache.find(asks, None) == STORED


async def test_where_redis_refuses_this_process_remembers_until_redis_takes_it(redis):
    cache, asks = cache_on(redis), question()
    used = asks.lookup.used
    await redis.call("SET", used, "not a sorted set")
    await cache.store(asks, STORED)
    assert await cache.find(asks, None) == STORED
    await redis.call("DEL", used)
    await cache.store(asks, STORED)
    assert await cache.find(asks, None) is None
    assert await cache.find(asks, await found_by(redis, asks)) == STORED


async def test_where_redis_fills_up_this_process_remembers(redis):
    cache, asks = cache_on(redis, room=Room(redis, share=1e-12)), question()
    await cache.store(asks, STORED)
    assert await found_by(redis, asks) is None
    assert await cache.find(asks, None) == STORED


async def test_an_answer_larger_than_the_route_allows_is_kept_nowhere(redis, away):
    for connection in (redis, away):
        cache, asks = cache_on(connection), question(most_bytes=50)
        await cache.store(asks, STORED)
        assert await cache.find(asks, None) is None
    assert await found_by(redis, asks) is None


async def test_an_answer_without_room_is_kept_nowhere(redis):
    cache, asks = cache_on(redis, most_bytes=100), question()
    await cache.store(asks, STORED)
    assert await cache.find(asks, await found_by(redis, asks)) is None


async def test_an_answer_is_kept_once_it_has_ended_and_given_as_was_asked(redis):
    cache, taps = cache_on(redis), Taps()
    keeping, asks = Keeping(cache, SystemClock()), question()
    received = OPENAI.streamed("openai_text")
    tap = taps.tap(asks.rule.most_bytes, stream=True)
    tap.add(received)
    keeping.keep(asks, heard(asked(stream=True), received, streamed=True), tap)
    await keeping.drain(5)
    assert taps.held == 0
    stored: Any = await cache.find(asks, await found_by(redis, asks))
    assert words(chunks_of(stored, asked())[0].raw) == stored.answer.choices[0].parts[0].text
    assert chunks_of(stored, asked(stream=True))[0].raw.endswith(b"data: [DONE]\n\n")
    assert stored.stored_at > 1_700_000_000


async def test_an_answer_that_is_not_whole_leaves_nothing_behind(redis):
    cache, taps, asks = cache_on(redis), Taps(), question()
    keeping = Keeping(cache, SystemClock())
    tap = taps.tap(1000, stream=False)
    tap.add(b"some")
    keeping.keep(asks, heard(asked(), completion(reason="length")), tap)
    await keeping.drain(5)
    assert (taps.held, await found_by(redis, asks)) == (0, None)


class Broken:
    """A cache whose code is wrong, and which waits to be let go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked = 0

    async def find(self, question, found):
        return None

    async def store(self, question, stored):
        self.asked += 1
        await self.go_on.wait()
        raise ZeroDivisionError


async def test_keeping_too_many_keeps_fewer_and_what_goes_wrong_gives_its_room_back():
    broken, taps = Broken(), Taps()
    keeping = Keeping(broken, SystemClock(), most_at_once=2)
    for _ in range(5):
        tap = taps.tap(1000, stream=False)
        tap.add(b"some")
        keeping.keep(question(), heard(asked(), completion()), tap)
    await asyncio.sleep(0)
    assert (broken.asked, taps.held) == (2, 8)
    broken.go_on.set()
    await keeping.drain(5)
    assert taps.held == 0


def resolution(policy: RoutePolicy | None, wire="openai") -> Resolution:
    rule = TargetRule(target="p/m")
    route = None if policy is None else RouteEntry(name="fast", created=1, rules=(rule,), policy=policy)
    return Resolution(name="fast", candidates=(Candidate(target=target(wire)),), route=route)


def test_only_a_route_that_asks_for_it_has_answers_kept():
    questions: Any = Questions()
    tenant, rule = new_id(), CacheRule(ttl_seconds=9)
    assert questions.of(tenant, resolution(None), asked()) is None
    assert questions.of(tenant, resolution(RoutePolicy()), asked()) is None
    asks = questions.of(tenant, resolution(RoutePolicy(cache=rule)), asked())
    assert (asks.tenant_id, asks.rule, len(asks.key)) == (tenant, rule, 32)
    assert asks.lookup.key.startswith(f"{{t:{tenant.hex}}}:")
    large = msgspec.structs.replace(asked(), input_bytes=10**8)
    assert questions.of(tenant, resolution(RoutePolicy(cache=rule)), large) is None


def test_the_users_name_counts_where_a_template_may_use_it():
    questions: Any = Questions()
    tenant, policy = new_id(), RoutePolicy(cache=CacheRule())
    keys = {
        wire: {questions.of(tenant, resolution(policy, wire), asked(user=user)).key for user in ("ann", "bob")}
        for wire in ("openai", "custom")
    }
    assert {wire: len(each) for wire, each in keys.items()} == {"openai": 1, "custom": 2}
