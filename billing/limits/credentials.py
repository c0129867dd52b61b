"""What a vendor allows one credential in a minute, counted by all processes together."""

from typing import Final
from uuid import UUID

from billing.limits.scripts import counting
from common.errors import Unavailable
from common.redis import RedisConnection

SCRIPT: Final = counting("credential.lua")


class CredentialLimits:
    """One round trip, for credentials that have a limit alone."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis

    async def take(
        self, credential_id: UUID, requests_per_minute: int, *, now_microseconds: int | None = None
    ) -> float:
        """Seconds until a call may be made; 0.0 for now, and then it is counted.

        A whole minute's calls may come at once. Without Redis every call may be made: the vendor counts too.
        `now_microseconds` replaces the server's clock in tests.
        """
        try:
            milliseconds: int = await self._redis.eval_script(
                SCRIPT,
                (f"{{credential:{credential_id.hex}}}:rpm",),
                (requests_per_minute, "" if now_microseconds is None else now_microseconds),
            )
        except Unavailable:
            return 0.0
        return milliseconds / 1000
