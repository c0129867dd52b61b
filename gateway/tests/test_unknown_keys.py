"""Keys that no snapshot holds: few at a time reach the database, a crowd waits, and one that exists is found."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest

from common.errors import Unauthenticated, Unavailable
from gateway import unknown_keys
from gateway.unknown_keys import UnknownKeys


class Directory:
    """Knows one key; looking takes until `open` is set."""

    def __init__(self) -> None:
        self.tenant = uuid4()
        self.open = asyncio.Event()
        self.looking = self.most_looking = 0

    async def tenant_of_key(self, key_id: str) -> UUID | None:
        self.looking += 1
        self.most_looking = max(self.most_looking, self.looking)
        await self.open.wait()
        await asyncio.sleep(0)
        self.looking -= 1
        return self.tenant if key_id == "genuine" else None


async def test_a_genuine_key_is_found_behind_hundreds_of_guesses():
    directory = Directory()
    keys = UnknownKeys(directory.tenant_of_key, time.monotonic, at_once=3)
    guesses = [asyncio.create_task(keys.find(f"guess-{number}")) for number in range(900)]
    await asyncio.sleep(0)
    genuine = asyncio.create_task(keys.find("genuine"))
    directory.open.set()
    assert await genuine == directory.tenant
    refusals = await asyncio.gather(*guesses, return_exceptions=True)
    assert {type(refusal) for refusal in refusals} == {Unauthenticated}
    assert directory.most_looking == 3


async def test_no_more_wait_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(unknown_keys, "MOST_WAITING", 2)
    directory = Directory()
    keys = UnknownKeys(directory.tenant_of_key, time.monotonic, at_once=1)
    waiting = [asyncio.create_task(keys.find(name)) for name in ("genuine", "guess")]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await keys.find("another")
    directory.open.set()
    assert await waiting[0] == directory.tenant
    with pytest.raises(Unauthenticated):
        await waiting[1]
