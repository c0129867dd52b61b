"""Identifiers: UUIDv7 (RFC 9562), so that an id sorts by time and carries its month."""

from datetime import UTC, date, datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid_utils.compat.uuid7()


def created_at(identifier: UUID) -> datetime:
    """The UTC time inside a UUIDv7, to the millisecond. ValueError for another version."""
    if identifier.version != 7:
        raise ValueError(f"{identifier} is not a UUIDv7")
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def month_of(identifier: UUID) -> date:
    """The first day of the UTC month inside a UUIDv7: the partition its rows live in."""
    return created_at(identifier).date().replace(day=1)


def earliest_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 that `moment` could have made: the lower bound of an id range."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (0b10 << 62))
