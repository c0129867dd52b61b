"""Places at keys that take only so many calls at once: taken at once, waited for, given back exactly once.

A key is a target's or a provider's; the limit is the caller's to say each time, and may change. A place that is given
back goes straight to whoever is next: nobody who comes later gets in between. All of it is one process's; what all
processes may do together is divided among them by the caller.
"""

import asyncio
import math
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common.errors import OrchestratorError, RateLimited, Unavailable
from gateway.load.queue import Waiter
from gateway.load.slots import Slots
from gateway.wishes import Priority

MOST_IDLE: Final = 10_000
LONGEST_TO_TELL: Final = 60.0


class Place:
    """Leave to make one call. `release` may be called again; only the first counts."""

    __slots__ = ("_places", "_slots", "_taken_at")

    def __init__(self, places: "Places", slots: Slots | None, taken_at: float) -> None:
        self._places = places
        self._slots = slots
        self._taken_at = taken_at

    @property
    def key(self) -> str:
        """Empty for a place where there is no limit, and for one that was given back."""
        return "" if self._slots is None else self._slots.key

    def release(self) -> None:
        slots, self._slots = self._slots, None
        if slots is not None:
            self._places.give_back(slots, self._taken_at)


class Places:
    """At each key at most `most_waiting` wait, half of them at most for batch, a quarter at most of one tenant."""

    def __init__(self, most_waiting: int = 400) -> None:
        self._most_waiting = most_waiting
        self._slots: dict[str, Slots] = {}
        self._unlimited = Place(self, None, 0.0)

    def try_take(self, key: str, limit: int | None) -> Place | None:
        """A place if one is free and nobody waits for it; None otherwise. Without a limit there is always one.

        A limit below 1 counts as 1.
        """
        if limit is None:
            return self._unlimited
        slots = self._at(key, limit)
        if slots.taken >= slots.limit or len(slots.queue):
            return None
        return self._taken(slots)

    async def wait(
        self, wanted: Sequence[tuple[str, int]], tenant_id: UUID, priority: Priority, seconds: float
    ) -> Place:
        """The first place that gets free at any of the keys, each given with its limit.

        Raises Unavailable (`targets_busy`, 503) when none did within `seconds`, or at once when too many wait already;
        RateLimited (`too_many_waiting`, 429) when too many of those are the tenant's own. Both tell when to come again.
        """
        if not wanted:
            raise ValueError("waiting for a place at nothing")
        for key, limit in wanted:
            if place := self.try_take(key, limit):
                return place
        everywhere = list({key: self._slots[key] for key, _ in wanted}.values())
        if seconds <= 0:
            raise self._busy(everywhere, seconds)
        waiter = Waiter(asyncio.get_running_loop().create_future(), tenant_id, priority)
        queued = self._queued(waiter, everywhere)
        return await self._place_for(waiter, queued, seconds)

    def give_back(self, slots: Slots, taken_at: float) -> None:
        """For Place alone."""
        slots.note(asyncio.get_running_loop().time() - taken_at)
        slots.taken -= 1
        self._serve(slots)

    def waiting(self, key: str) -> int:
        slots = self._slots.get(key)
        return 0 if slots is None else len(slots.queue)

    def taken(self, key: str) -> int:
        slots = self._slots.get(key)
        return 0 if slots is None else slots.taken

    async def _place_for(self, waiter: Waiter, queued: list[Slots], seconds: float) -> Place:
        timer = asyncio.get_running_loop().call_later(seconds, self._give_up, waiter, queued, seconds)
        try:
            return await waiter.place
        except BaseException:
            handed = waiter.place.done() and not waiter.place.cancelled() and waiter.place.exception() is None
            if handed:
                # Cancelled between being given a place and knowing of it.
                waiter.place.result().release()
            raise
        finally:
            timer.cancel()
            for slots in queued:
                slots.queue.discard(waiter)

    def _give_up(self, waiter: Waiter, queued: list[Slots], seconds: float) -> None:
        if not waiter.place.done():
            for slots in queued:
                slots.queue.discard(waiter)
            waiter.place.set_exception(self._busy(queued, seconds))

    def _queued(self, waiter: Waiter, everywhere: list[Slots]) -> list[Slots]:
        """Where the waiter stands: wherever there is room. Raises RateLimited, Unavailable."""
        share = max(self._most_waiting // 4, 1)
        own = [slots for slots in everywhere if slots.queue.of_tenant(waiter.tenant_id) < share]
        if not own:
            raise RateLimited(
                "Too many requests of this tenant are waiting for these models.",
                code="too_many_waiting",
                retry_after=self._retry_after(everywhere, 1.0),
            )
        room = [slots for slots in own if self._has_room(slots, waiter.priority)]
        if not room:
            raise self._busy(everywhere, 1.0)
        for slots in room:
            slots.queue.add(waiter)
        return room

    def _has_room(self, slots: Slots, priority: Priority) -> bool:
        most = self._most_waiting
        return len(slots.queue) < most and (priority == "interactive" or slots.queue.of_class("batch") < most // 2)

    def _busy(self, everywhere: list[Slots], waited: float) -> OrchestratorError:
        return Unavailable(
            "All targets of this model are busy.",
            code="targets_busy",
            retry_after=self._retry_after(everywhere, waited),
        )

    def _retry_after(self, everywhere: list[Slots], otherwise: float) -> float:
        """Whole seconds, by how long calls have been taking; by `otherwise` where none has ended."""
        known = [seconds for slots in everywhere if (seconds := slots.seconds_until_free()) is not None]
        return float(math.ceil(min(max(min(known, default=otherwise), 1.0), LONGEST_TO_TELL)))

    def _at(self, key: str, limit: int) -> Slots:
        limit = max(limit, 1)
        slots = self._slots.get(key)
        if slots is None:
            if len(self._slots) >= MOST_IDLE:
                self._slots = {each.key: each for each in self._slots.values() if not each.idle}
            slots = self._slots[key] = Slots(key, limit)
        elif slots.limit != limit:
            slots.limit = limit
            self._serve(slots)
        return slots

    def _serve(self, slots: Slots) -> None:
        """Free places go to those who wait, so that wherever somebody waits all places are taken."""
        while slots.taken < slots.limit and (waiter := slots.queue.pop()) is not None:
            waiter.place.set_result(self._taken(slots))

    def _taken(self, slots: Slots) -> Place:
        slots.taken += 1
        return Place(self, slots, asyncio.get_running_loop().time())
