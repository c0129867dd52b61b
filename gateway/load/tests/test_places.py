"""Places at busy targets: who gets the next one, and that none is ever lost."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import RateLimited, Unavailable
from common.ids import new_id
from gateway.load.places import Place, Places

A, B, C = new_id(), new_id(), new_id()
LONG = 60.0


@pytest.fixture
def places():
    return Places()


async def turn() -> None:
    """Everything that is ready has run."""
    for _ in range(5):
        await asyncio.sleep(0)


class Waiting:
    """Requests that wait at one key with one place, and the order in which they got it."""

    def __init__(self, places: Places, key: str = "k") -> None:
        self.places = places
        self.key = key
        self.served: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def join(self, name: str, tenant, priority="interactive") -> None:
        async def get() -> None:
            place = await self.places.wait([(self.key, 1)], tenant, priority, LONG)
            self.served.append(name)
            await asyncio.sleep(0)
            place.release()

        self.tasks.append(asyncio.create_task(get()))
        await asyncio.sleep(0)

    async def all(self) -> list[str]:
        await asyncio.gather(*self.tasks)
        return self.served


async def test_as_many_places_as_the_limit_says(places):
    taken = [places.try_take("k", 2) for _ in range(3)]
    assert [place is not None for place in taken] == [True, True, False]
    taken[0].release()
    assert places.try_take("k", 2).key == "k"
    assert places.try_take("other", 2) is not None


async def test_without_a_limit_there_is_always_a_place(places):
    taken = [places.try_take("k", None) for _ in range(1000)]
    assert all(taken)
    for place in taken:
        place.release()
    assert places.taken("k") == 0


async def test_a_limit_of_nothing_still_lets_one_through(places):
    assert places.try_take("k", 0) is not None
    assert places.try_take("k", 0) is None


async def test_a_place_is_given_back_once(places):
    first, second = places.try_take("k", 2), places.try_take("k", 2)
    first.release()
    first.release()
    assert places.taken("k") == 1
    second.release()
    assert places.taken("k") == 0


async def test_whoever_waits_gets_the_place_and_nobody_gets_in_between(places):
    place = places.try_take("k", 1)
    waiting = asyncio.create_task(places.wait([("k", 1)], A, "interactive", LONG))
    await turn()
    place.release()
    assert places.try_take("k", 1) is None
    got = await waiting
    assert got.key == "k"
    got.release()
    assert places.try_take("k", 1) is not None


async def test_a_free_place_is_had_without_waiting(places):
    places.try_take("busy", 1)
    assert (await places.wait([("busy", 1), ("free", 1)], A, "interactive", 0)).key == "free"


async def test_the_first_key_to_get_free_is_taken_and_the_others_are_left(places):
    held = {key: places.try_take(key, 1) for key in ("x", "y", "z")}
    waiting = asyncio.create_task(places.wait([("x", 1), ("y", 1), ("z", 1)], A, "interactive", LONG))
    await turn()
    held["y"].release()
    assert (await waiting).key == "y"
    assert [places.waiting(key) for key in "xyz"] == [0, 0, 0]
    held["x"].release()
    assert places.taken("x") == 0


async def test_two_places_that_get_free_at_once_are_not_both_given_to_one(places):
    held = [places.try_take(key, 1) for key in ("x", "y")]
    first = asyncio.create_task(places.wait([("x", 1), ("y", 1)], A, "interactive", LONG))
    await turn()
    second = asyncio.create_task(places.wait([("y", 1), ("x", 1)], A, "interactive", LONG))
    await turn()
    for place in held:
        place.release()
    assert {(await first).key, (await second).key} == {"x", "y"}


async def test_one_key_named_twice_is_one_key(places):
    held = places.try_take("k", 1)
    waiting = asyncio.create_task(places.wait([("k", 1), ("k", 1)], A, "interactive", LONG))
    await turn()
    assert places.waiting("k") == 1
    held.release()
    (await waiting).release()
    assert (places.waiting("k"), places.taken("k")) == (0, 0)


async def test_a_tenants_own_requests_keep_their_order(places):
    held, waiting = places.try_take("k", 1), Waiting(places)
    for number in range(5):
        await waiting.join(f"{number}", A)
    held.release()
    assert await waiting.all() == ["0", "1", "2", "3", "4"]


async def test_a_thousand_of_one_tenant_hold_up_anothers_one_by_a_single_turn():
    places = Places(most_waiting=4000)
    held, waiting = await places.wait([("k", 1)], A, "interactive", 0), Waiting(places)
    for _ in range(1000):
        await waiting.join("many", A)
    await waiting.join("one", B)
    await waiting.join("other", C)
    held.release()
    served = await waiting.all()
    assert served.index("one") <= 1
    assert served.index("other") <= 2
    assert len(served) == 1002


async def test_tenants_take_turns_as_they_come_and_go(places):
    held, waiting = places.try_take("k", 1), Waiting(places)
    for name, tenant in (("a", A), ("a", A), ("a", A), ("b", B), ("b", B), ("c", C)):
        await waiting.join(name, tenant)
    held.release()
    assert "".join(await waiting.all()) == "abcaba"


async def test_interactive_goes_before_batch_and_batch_is_not_starved(places):
    held, waiting = places.try_take("k", 1), Waiting(places)
    for _ in range(3):
        await waiting.join("b", A, "batch")
    for _ in range(20):
        await waiting.join("i", B)
    held.release()
    assert "".join(await waiting.all()) == "iiiiiiib" * 2 + "iiiiiib"


async def test_nobody_waits_beyond_the_deadline(places):
    held = places.try_take("k", 1)
    with pytest.raises(Unavailable) as refused:
        await places.wait([("k", 1)], A, "interactive", 0.02)
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (503, "targets_busy", 1.0)
    assert places.waiting("k") == 0
    held.release()
    assert places.taken("k") == 0


async def test_without_time_to_wait_it_is_refused_at_once(places):
    places.try_take("k", 1)
    with pytest.raises(Unavailable, match="busy"):
        await places.wait([("k", 1)], A, "interactive", 0)


async def test_a_tenant_has_a_quarter_of_the_queue_and_batch_a_half():
    places = Places(most_waiting=8)
    places.try_take("k", 1)
    wait = [asyncio.create_task(places.wait([("k", 1)], A, "interactive", LONG)) for _ in range(2)]
    await turn()
    with pytest.raises(RateLimited) as refused:
        await places.wait([("k", 1)], A, "interactive", LONG)
    assert (refused.value.status, refused.value.code) == (429, "too_many_waiting")
    assert refused.value.retry_after == 1.0
    for _ in range(4):
        wait.append(asyncio.create_task(places.wait([("k", 1)], new_id(), "batch", LONG)))
    await turn()
    with pytest.raises(Unavailable):
        await places.wait([("k", 1)], new_id(), "batch", LONG)
    for _ in range(2):
        wait.append(asyncio.create_task(places.wait([("k", 1)], new_id(), "interactive", LONG)))
    await turn()
    with pytest.raises(Unavailable):
        await places.wait([("k", 1)], new_id(), "interactive", LONG)
    assert places.waiting("k") == 8
    for task in wait:
        task.cancel()
    await asyncio.gather(*wait, return_exceptions=True)
    assert places.waiting("k") == 0


async def test_when_to_come_again_is_told_by_how_long_calls_take(places, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    place = await places.wait([("k", 2)], A, "interactive", 0)
    now += 6.0
    place.release()
    held = [await places.wait([("k", 2)], A, "interactive", 0) for _ in range(2)]
    waiting = [asyncio.create_task(places.wait([("k", 2)], A, "interactive", LONG)) for _ in range(3)]
    await turn()
    with pytest.raises(Unavailable) as refused:
        await places.wait([("k", 2)], B, "interactive", 0)
    # Three are before it, two are served at a time: twice six seconds.
    assert refused.value.retry_after == 12.0
    for place in held:
        place.release()
    for task in waiting:
        (await task).release()


async def test_a_limit_that_is_raised_serves_those_who_wait(places):
    places.try_take("k", 1)
    waiting = asyncio.create_task(places.wait([("k", 1)], A, "interactive", LONG))
    await turn()
    assert places.try_take("k", 2) is None
    assert (await waiting).key == "k"
    assert places.taken("k") == 2


async def test_a_limit_that_is_lowered_is_kept_from_then_on(places):
    taken = [places.try_take("k", 3) for _ in range(3)]
    waiting = asyncio.create_task(places.wait([("k", 1)], A, "interactive", LONG))
    await turn()
    taken[0].release()
    taken[1].release()
    await turn()
    assert not waiting.done()
    taken[2].release()
    assert (await waiting).key == "k"


async def test_cancelled_while_being_given_a_place_it_goes_to_the_next(places):
    held = places.try_take("k", 1)
    first = asyncio.create_task(places.wait([("k", 1)], A, "interactive", LONG))
    second = asyncio.create_task(places.wait([("k", 1)], B, "interactive", LONG))
    await turn()
    held.release()
    first.cancel()
    assert (await second).key == "k"
    assert first.cancelled()
    assert (places.taken("k"), places.waiting("k")) == (1, 0)


async def test_idle_keys_are_forgotten(places):
    for number in range(10_500):
        places.try_take(f"{number}", 1).release()
    assert len(places._slots) <= 10_000


KEYS = ("x", "y", "z")
LIMITS = {"x": 1, "y": 2, "z": 3}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from(KEYS)),
        st.tuples(
            st.just("wait"),
            st.tuples(
                st.lists(st.sampled_from(KEYS), min_size=1, max_size=3),
                st.sampled_from((A, B, C)),
                st.sampled_from(("interactive", "batch")),
            ),
        ),
        st.tuples(st.sampled_from(("release", "cancel", "release and cancel")), st.integers(0, 50)),
        st.tuples(st.just("turn"), st.none()),
    ),
    max_size=60,
)


class Storm:
    """Does steps in any order; what must hold at every moment is checked after each."""

    def __init__(self) -> None:
        self.places = Places(most_waiting=12)
        self.held: list[Place] = []
        self.tasks: list[asyncio.Task[Place]] = []

    def do(self, step: str, what) -> None:
        match step:
            case "take":
                if place := self.places.try_take(what, LIMITS[what]):
                    self.held.append(place)
            case "wait":
                keys, tenant, priority = what
                wanted = [(key, LIMITS[key]) for key in keys]
                self.tasks.append(asyncio.create_task(self.places.wait(wanted, tenant, priority, LONG)))
            case _:
                if "release" in step and self.held:
                    self.held.pop(what % len(self.held)).release()
                if "cancel" in step and self.tasks:
                    self.tasks[what % len(self.tasks)].cancel()

    def collect(self) -> None:
        for task in [task for task in self.tasks if task.done()]:
            self.tasks.remove(task)
            if not task.cancelled() and task.exception() is None:
                self.held.append(task.result())

    def check(self) -> None:
        for key, limit in LIMITS.items():
            assert self.places.taken(key) <= limit
            if self.places.waiting(key):
                assert self.places.taken(key) == limit

    async def run(self, steps) -> None:
        for step, what in steps:
            if step == "turn":
                await turn()
                self.collect()
            else:
                self.do(step, what)
            self.check()
        for task in self.tasks:
            task.cancel()
        await turn()
        self.collect()
        for place in self.held:
            place.release()
        assert [(self.places.taken(key), self.places.waiting(key)) for key in KEYS] == [(0, 0)] * 3


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_no_place_is_lost_or_given_twice_in_any_storm_of_cancellations(steps):
    asyncio.run(Storm().run(steps))
