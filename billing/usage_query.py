"""The parameters of a usage report, from text to values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing.reports import Grouping
from common.errors import InvalidRequest

PARAMETERS = ("from", "to", "timezone", "group_by")
DEFAULT_DAYS = 30
LONGEST_DAYS = 366
FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Local days from `first` up to, not including, `end`."""

    first: date
    end: date
    zone: ZoneInfo
    group_by: Grouping


def parse_usage_query(parameters: Mapping[str, str], *, time_zone: str, now: datetime) -> UsageQuery:
    """Raises InvalidRequest naming the parameter. Without a range: the last 30 days, today included."""
    if unknown := sorted(set(parameters) - set(PARAMETERS)):
        raise InvalidRequest(f"Unknown parameter {unknown[0]}. There are {', '.join(PARAMETERS)}.", param=unknown[0])
    zone = parse_zone(parameters.get("timezone") or time_zone)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    end = parse_day("to", parameters.get("to"), default=tomorrow)
    first = parse_day("from", parameters.get("from"), default=end - timedelta(days=DEFAULT_DAYS))
    check_range(first, end)
    return UsageQuery(first=first, end=end, zone=zone, group_by=parse_grouping(parameters.get("group_by", "day")))


def parse_day(name: str, text: str | None, *, default: date) -> date:
    if text is None:
        return default
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise InvalidRequest(f"{name} must be a day like 2026-11-21.", param=name) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidRequest(f"{name} must lie between {FIRST_YEAR} and {LAST_YEAR}.", param=name)
    return day


def check_range(first: date, end: date) -> None:
    if first >= end:
        raise InvalidRequest("from must be earlier than to, which is not included in the range.", param="from")
    if (end - first).days > LONGEST_DAYS:
        raise InvalidRequest(f"A report covers at most {LONGEST_DAYS} days.", param="from")


def parse_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidRequest("timezone must be an IANA name like Europe/Berlin.", param="timezone") from None


def parse_grouping(text: str) -> Grouping:
    try:
        return Grouping(text)
    except ValueError:
        raise InvalidRequest(f"group_by must be one of {', '.join(Grouping)}.", param="group_by") from None
