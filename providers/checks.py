"""What looks at providers have found: the latest of each, in Redis, which may forget them.

Redis   {t:<tenant>}:checks:<provider>   a list of Check as JSON arrays, the latest first; a tenant's own provider
        platform:checks:<provider>       the same for the platform's
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from providers.scope import Owner
from tenants.config_version import redis_client
from tenants.identity import redis_tag

MOST_KEPT: Final = 50
SECONDS_KEPT: Final = 86_400
# A look is believed for so many intervals, and a little longer than a turn of the task that looks.
INTERVALS_BELIEVED: Final = 3
SLACK_SECONDS: Final = 30

Status = Literal["healthy", "failing", "unknown"]


class CredentialCheck(msgspec.Struct, frozen=True, array_like=True):
    """Like `Check`, of one credential."""

    id: UUID
    latency_ms: float
    error: str


class Check(msgspec.Struct, frozen=True, array_like=True):
    """One look. `error` is empty where any credential works; else `timeout`, `unreachable`, `credential_refused`,
    `credential_unreadable` or `server_error`."""

    at: datetime
    latency_ms: float
    error: str
    credentials: tuple[CredentialCheck, ...] = ()


DECODER: Final = msgspec.json.Decoder(Check)


def key_of(owner: Owner, provider_id: UUID) -> str:
    return f"{'platform' if owner is None else redis_tag(owner.id)}:checks:{provider_id.hex}"


def keep(owner: Owner, found: Mapping[UUID, Check]) -> None:
    """By provider's id. Raises RedisError."""
    with redis_client().pipeline(transaction=False) as writing:
        for provider_id, check in found.items():
            key = key_of(owner, provider_id)
            writing.lpush(key, msgspec.json.encode(check))
            writing.ltrim(key, 0, MOST_KEPT - 1)
            writing.expire(key, SECONDS_KEPT)
        writing.execute()


def recent(wanted: Sequence[tuple[Owner, UUID]]) -> list[tuple[Check, ...]]:
    """The checks of each, the latest first. Raises RedisError."""
    with redis_client().pipeline(transaction=False) as reading:
        for owner, provider_id in wanted:
            reading.lrange(key_of(owner, provider_id), 0, MOST_KEPT - 1)
        return [tuple(map(DECODER.decode, kept)) for kept in reading.execute()]


def status_of(error: str, at: datetime, *, now: datetime, interval: float) -> Status:
    """Unknown where the look at that time was too long ago."""
    if (now - at).total_seconds() > INTERVALS_BELIEVED * interval + SLACK_SECONDS:
        return "unknown"
    return "failing" if error else "healthy"
