"""Key ids that no snapshot holds: new keys to be found, and guesses that must not reach the database each time."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from common.errors import Unavailable
from tenants.keys import unknown_key

MOST_REMEMBERED: Final = 10_000
SECONDS_REMEMBERED: Final = 10.0
# A new key waits behind guesses for as long as that many take.
MOST_WAITING: Final = 1_000


class UnknownKeys:
    """Looks key ids up, a few at once, and remembers for a while which are nobody's."""

    def __init__(
        self, tenant_of_key: Callable[[str], Awaitable[UUID | None]], clock: Callable[[], float], *, at_once: int
    ) -> None:
        self._tenant_of_key = tenant_of_key
        self._clock = clock
        self._nobodys: OrderedDict[str, float] = OrderedDict()
        self._places = asyncio.Semaphore(at_once)
        self._lookups: dict[str, asyncio.Task[UUID | None]] = {}

    async def find(self, key_id: str) -> UUID:
        """The key's tenant. Raises Unauthenticated, and Unavailable when too many ask or the database is away."""
        if self._nobodys.get(key_id, 0.0) > self._clock():
            raise unknown_key()
        lookup = self._lookups.get(key_id)
        if lookup is None:
            if len(self._lookups) >= MOST_WAITING:
                raise Unavailable("Too many unknown API keys are being looked up.", retry_after=1)
            lookup = self._lookups[key_id] = asyncio.create_task(self._look_up(key_id))
            lookup.add_done_callback(lambda _: self._lookups.pop(key_id))
        tenant_id = await asyncio.shield(lookup)
        if tenant_id is None:
            self.remember(key_id)
            raise unknown_key()
        return tenant_id

    def remember(self, key_id: str) -> None:
        """Notes that the key is nobody's."""
        self._nobodys[key_id] = self._clock() + SECONDS_REMEMBERED
        self._nobodys.move_to_end(key_id)
        if len(self._nobodys) > MOST_REMEMBERED:
            self._nobodys.popitem(last=False)

    async def _look_up(self, key_id: str) -> UUID | None:
        async with self._places:
            return await self._tenant_of_key(key_id)
