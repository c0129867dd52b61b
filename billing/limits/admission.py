"""Admission: the one Redis round trip before a request is dispatched."""

from uuid import UUID

import msgspec

from billing.limits.scripts import counting
from common.redis import RedisConnection, Script
from tenants.identity import redis_tag, version_key

ADMISSION = counting("admission.lua")
REPLACE = Script(
    "if (redis.call('GET', KEYS[1]) or '') == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 end return 0"
)


class Lookup(msgspec.Struct, frozen=True, gc=False):
    """An answer that may have been kept, to be read on the way: its `key`, the sorted set `used` of when each was last
    used, and its name in there."""

    key: str
    used: str
    name: str


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """The answer. `limit` is None where there is none, and the figures after it are then 0.

    `config_version` is None when Redis has lost it. A caller that waits `retry_after_ms` is let in,
    if no other request of the key comes first. `reset_ms`: until the whole limit is there again. `found` is the answer
    that was looked up, None where there is none.
    """

    config_version: int | None
    allowed: bool
    limit: int | None
    remaining: int
    reset_ms: int
    retry_after_ms: int
    found: bytes | None = None


class Admission:
    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def admit(
        self,
        tenant_id: UUID,
        key_id: UUID,
        requests_per_minute: int | None,
        lookup: Lookup | None = None,
        *,
        now_microseconds: int | None = None,
    ) -> Admitted:
        """Counts the request if it is within its limit, and only then looks up its answer. None or 0 is no limit.

        `now_microseconds` replaces the server's clock in tests. Raises RedisUnavailable, RedisRefused;
        the request may then have been counted.
        """
        keys: tuple[str, ...] = (version_key(tenant_id), f"{redis_tag(tenant_id)}:rpm:{key_id.hex}")
        arguments: tuple[str | int, ...] = (
            requests_per_minute or 0,
            "" if now_microseconds is None else now_microseconds,
        )
        if lookup is not None:
            keys += (lookup.key, lookup.used)
            arguments += (lookup.name,)
        version, allowed, limit, remaining, reset, retry, *found = await self._redis.eval_script(
            ADMISSION, keys, arguments
        )
        return Admitted(
            int(version) if version else None,
            allowed == 1,
            limit or None,
            remaining,
            reset,
            retry,
            found[0] if found else None,
        )

    async def version(self, tenant_id: UUID) -> int | None:
        """The version of the tenant's configuration that Redis knows, if any."""
        found = await self._redis.call("GET", version_key(tenant_id))
        return int(found) if found else None

    async def replace_version(self, tenant_id: UUID, *, seen: int | None, true: int) -> bool:
        """Puts the version read from PostgreSQL in the place of the one `seen` in Redis, unless that has changed."""
        known = "" if seen is None else seen
        return bool(await self._redis.eval_script(REPLACE, (version_key(tenant_id),), (known, true)))
