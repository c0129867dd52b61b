"""Whether a target of a route is there for a request at all."""

from datetime import datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from providers.route_policy import Schedule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def holds(schedule: Schedule, now: datetime) -> bool:
    """Whether it is that time, by the clock on the wall of the schedule's zone. A night belongs to the day on which it
    began."""
    local = now.astimezone(zone(schedule.time_zone))
    start, end = time.fromisoformat(schedule.start), time.fromisoformat(schedule.end)
    moment, today = local.time(), local.weekday()
    if start < end:
        return start <= moment < end and on(schedule, today)
    # Through midnight, or all day where both are the same.
    return (moment >= start and on(schedule, today)) or (moment < end and on(schedule, today - 1))


def on(schedule: Schedule, weekday: int) -> bool:
    return not schedule.days or DAYS[weekday % 7] in schedule.days


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
