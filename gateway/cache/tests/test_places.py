"""Where answers are kept, in Redis and in memory, and that neither place grows beyond its bound."""

import pytest

from common.ids import new_id
from gateway.cache.local import BESIDE, LocalAnswers
from gateway.cache.room import NoRoom, Room
from gateway.cache.shelf import Shelf, lookup_of, place_of
from gateway.cache.taps import Taps


@pytest.fixture
def tenant():
    return new_id()


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


async def store(shelf, tenant, *numbers, size=1000, ttl=60.0):
    return [await shelf.store(tenant, key(number), bytes(size), ttl_seconds=ttl) for number in numbers]


async def there(redis, tenant, count=30):
    return [number for number in range(count) if await redis.call("EXISTS", lookup_of(tenant, key(number)).key)]


async def counted(redis, tenant):
    """(the bytes on record, names by use, names by end, sizes)."""
    place = place_of(tenant)
    total = int(await redis.call("HGET", f"{place}:sizes", "total") or 0)
    indexes = [await redis.call("ZCARD", f"{place}:{name}") for name in ("used", "until")]
    return total, *indexes, await redis.call("HLEN", f"{place}:sizes") - 1


async def test_an_answer_is_there_for_its_time(redis, tenant):
    shelf = Shelf(redis)
    assert await shelf.store(tenant, key(1), b"kept", ttl_seconds=60)
    lookup = lookup_of(tenant, key(1))
    assert await redis.call("GET", lookup.key) == b"kept"
    assert 59_000 < await redis.call("PTTL", lookup.key) <= 60_000
    for index in ("used", "until", "sizes"):
        assert 59_000 < await redis.call("PTTL", f"{place_of(tenant)}:{index}") <= 60_000


async def test_the_index_lives_as_long_as_the_answer_that_lives_longest(redis, tenant):
    shelf = Shelf(redis)
    await store(shelf, tenant, 1, ttl=600)
    await store(shelf, tenant, 2, ttl=5)
    assert await redis.call("PTTL", lookup_of(tenant, key(1)).used) > 500_000


async def test_what_was_not_used_for_longest_makes_room(redis, tenant):
    shelf = Shelf(redis, most_bytes=1500 * 5)
    assert await store(shelf, tenant, *range(5)) == [True] * 5
    lookup = lookup_of(tenant, key(0))
    await redis.call("ZADD", lookup.used, "XX", 10**13 * 3, lookup.name)
    assert await store(shelf, tenant, 5, 6) == [True, True]
    assert await there(redis, tenant) == [0, 3, 4, 5, 6]
    assert await counted(redis, tenant) == (7500, 5, 5, 5)


async def test_a_tenant_has_so_many_answers_and_so_many_bytes_and_never_more(redis, tenant):
    shelf = Shelf(redis, most_bytes=20_000, most_answers=8)
    for number in range(40):
        await store(shelf, tenant, number % 13, size=(number * 701) % 6000)
        total, used, until, sizes = await counted(redis, tenant)
        held = [await redis.call("STRLEN", lookup_of(tenant, key(each)).key) for each in await there(redis, tenant)]
        assert used == until == sizes == len(held) <= 8
        assert total == sum(held) + 500 * len(held) <= 20_000


async def test_an_answer_larger_than_all_there_is_makes_no_room(redis, tenant):
    shelf = Shelf(redis, most_bytes=5000)
    await store(shelf, tenant, 1)
    assert await store(shelf, tenant, 2, size=4600) == [False]
    assert await there(redis, tenant) == [1]


async def test_no_more_than_a_hundred_go_at_once(redis, tenant):
    assert all(await store(Shelf(redis), tenant, *range(300), size=1))
    smaller = Shelf(redis, most_bytes=60_000)
    assert await store(smaller, tenant, 1000, 1000) == [False, True]
    assert (await counted(redis, tenant))[1:] == (117, 117, 117)


async def test_what_is_kept_anew_takes_the_place_of_the_old(redis, tenant):
    shelf = Shelf(redis)
    await store(shelf, tenant, 1, 1, size=700)
    await store(shelf, tenant, 1, size=300)
    assert await counted(redis, tenant) == (800, 1, 1, 1)


async def test_what_has_ended_is_taken_off_the_record(redis, tenant):
    shelf = Shelf(redis)
    await store(shelf, tenant, 1, 2)
    place = place_of(tenant)
    # Redis has let go of it by itself; the record does not know yet.
    await redis.call("DEL", lookup_of(tenant, key(1)).key)
    await redis.call("ZADD", f"{place}:until", 1, key(1).hex())
    await store(shelf, tenant, 3)
    assert await counted(redis, tenant) == (3000, 2, 2, 2)


async def test_tenants_have_rooms_of_their_own(redis, tenant):
    shelf, other = Shelf(redis, most_answers=2), new_id()
    await store(shelf, tenant, 1, 2)
    await store(shelf, other, 1, 2, 3)
    assert await there(redis, tenant) == [1, 2]
    assert await there(redis, other) == [2, 3]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_where_redis_fills_up_no_answer_is_added(redis, tenant):
    shelf = Shelf(redis, room=Room(redis, share=1e-12))
    with pytest.raises(NoRoom):
        await shelf.store(tenant, key(1), b"kept", ttl_seconds=60)
    assert await there(redis, tenant) == []


async def test_redis_is_asked_once_a_second_whether_there_is_room(redis):
    clock, asked = Clock(), []
    call = redis.call

    async def watched(*command):
        asked.append(command)
        return await call(*command)

    redis.call = watched
    room = Room(redis, clock=clock)
    for _ in range(10):
        await room.check()
        clock.now += 0.25
    assert asked == [("INFO", "memory")] * 3


def test_memory_keeps_an_answer_for_its_time():
    clock = Clock()
    local = LocalAnswers(clock=clock)
    local.store(key(1), b"kept", ttl_seconds=5)
    assert local.find(key(1)) == b"kept"
    clock.now += 5
    assert local.find(key(1)) is None
    assert local.size == 0


def test_memory_keeps_no_more_than_it_may_and_what_was_used_last():
    local = LocalAnswers(most_bytes=5 * (1000 + BESIDE))
    for number in range(5):
        local.store(key(number), bytes(1000), ttl_seconds=5)
    local.find(key(0))
    local.store(key(5), bytes(1000), ttl_seconds=5)
    assert [number for number in range(6) if local.find(key(number))] == [0, 2, 3, 4, 5]
    local.store(key(6), bytes(2000), ttl_seconds=5)
    assert local.find(key(6)) is None
    local.store(key(5), bytes(10), ttl_seconds=5)
    assert local.size == 4 * (1000 + BESIDE) + 10 + BESIDE


def test_a_tap_holds_what_came_and_gives_its_room_back():
    taps = Taps(most_bytes=1000)
    tap = taps.tap(100, stream=False)
    tap.add(b"one")
    tap.add(b"two")
    assert (tap.pieces, taps.held) == ([b"one", b"two"], 6)
    tap.close()
    tap.close()
    assert (tap.pieces, taps.held) == (None, 0)


def test_a_tap_of_too_much_holds_nothing():
    taps = Taps(most_bytes=1000)
    tap = taps.tap(100, stream=False)
    tap.add(bytes(150))
    tap.add(bytes(60))
    tap.add(b"more")
    assert (tap.pieces, taps.held) == (None, 0)


def test_all_taps_together_hold_no_more_than_there_is_room_for():
    taps = Taps(most_bytes=1000)
    several = [taps.tap(400, stream=True) for _ in range(3)]
    for tap in several:
        tap.add(bytes(400))
    assert [tap.pieces is not None for tap in several] == [True, True, False]
    assert taps.held == 800
