"""Answers in Redis, for all processes. Redis itself throws nothing out (`noeviction`): each tenant has its own
room, and all of them none where Redis fills up.
"""

from pathlib import Path
from typing import Final
from uuid import UUID

from billing.limits.admission import Lookup
from common.redis import RedisConnection, Script
from gateway.cache.room import Room
from tenants.identity import redis_tag

STORE: Final = Script((Path(__file__).parent / "store.lua").read_text(encoding="utf-8"))
# Another way of writing answers has another name, so that releases side by side do not read each other's.
RELEASE: Final = "1"


def lookup_of(tenant_id: UUID, key: bytes) -> Lookup:
    """Where the answer to a key would be, for `Admission.admit`."""
    place, name = place_of(tenant_id), key.hex()
    return Lookup(f"{place}:{name}", f"{place}:used", name)


def place_of(tenant_id: UUID) -> str:
    return f"{redis_tag(tenant_id)}:answers{RELEASE}"


class Shelf:
    """`most_bytes` and `most_answers` are of one tenant, what Redis needs beside the answers included."""

    def __init__(
        self,
        redis: RedisConnection,
        *,
        most_bytes: int = 64 * 1024 * 1024,
        most_answers: int = 10_000,
        room: Room | None = None,
    ) -> None:
        self._redis = redis
        self._room = room or Room(redis)
        self._most_bytes = most_bytes
        self._most_answers = most_answers

    async def store(self, tenant_id: UUID, key: bytes, answer: bytes, *, ttl_seconds: float) -> bool:
        """One round trip. False where the tenant has no room for it. Raises NoRoom, RedisUnavailable, RedisRefused."""
        await self._room.check()
        place, lookup = place_of(tenant_id), lookup_of(tenant_id, key)
        keys = (lookup.key, lookup.used, f"{place}:until", f"{place}:sizes")
        arguments = (lookup.name, answer, round(ttl_seconds * 1000), self._most_bytes, self._most_answers)
        return bool(await self._redis.eval_script(STORE, keys, arguments))
