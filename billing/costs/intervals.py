"""Stretches of local time as moments. Every zone's days and hours begin at a quarter of an hour of UTC.

No time zone arithmetic happens in the database: a day of 23 or 25 hours is just a stretch, and days sum to their range.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Interval(StrEnum):
    DAY = "day"
    HOUR = "hour"
    QUARTER = "15min"


STEPS = {Interval.HOUR: timedelta(hours=1), Interval.QUARTER: timedelta(minutes=15)}


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, in UTC. Where the clocks skip midnight, the moment they do."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def days_between(first: date, end: date) -> Iterator[date]:
    return (first + timedelta(days=index) for index in range((end - first).days))


def edges_between(since: datetime, until: datetime, *, zone: ZoneInfo, interval: Interval | None) -> list[datetime]:
    """From `since` to `until`, both included, and where an interval begins in between; in UTC.

    Hours are counted from midnight: an hour that the clocks repeat is there twice.
    """
    if interval is None:
        return [since, until]
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    inner = (
        moment
        for day in days_between(first, last + timedelta(days=1))
        for moment in beginnings(day, zone, interval)
        if since < moment < until
    )
    return [since, *inner, until]


def beginnings(day: date, zone: ZoneInfo, interval: Interval) -> Iterator[datetime]:
    moment, next_day = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    if interval is Interval.DAY:
        yield moment
        return
    while moment < next_day:
        yield moment
        moment += STEPS[interval]


def label_of(moment: datetime, *, zone: ZoneInfo, interval: Interval) -> str:
    """A day's date, or a local time with its offset, so that the two hours of a turned clock differ."""
    local = moment.astimezone(zone)
    return local.date().isoformat() if interval is Interval.DAY else local.isoformat(timespec="minutes")
