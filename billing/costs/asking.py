"""The parameters of a question about cost, from text to values."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from billing.costs.figures import Dimension, Only
from billing.costs.intervals import Interval, edges_between, midnight
from billing.rollups.frontier import BUCKET, bucket_of
from billing.usage_query import check_range, parse_day, parse_zone
from common.errors import InvalidRequest
from providers.card_filters import refuse_unknown, single

RANGE: Final = ("period", "from", "to", "timezone")
FILTERS: Final = ("model", "provider", "api_key", "user")
ANALYTICS: Final = (*RANGE, "group_by", "interval", *FILTERS, "format")
MINE: Final = (*RANGE, "interval")
DEFAULT_DAYS: Final = 30
LONGEST_DAYS: Final = 366
LONGEST_HOURS: Final = 24 * 31
MOST_INTERVALS: Final = 2_000
MOST_VALUES: Final = 50
LONGEST_VALUE: Final = 300
PERIOD: Final = re.compile(r"([1-9][0-9]{0,3})([dh])")

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")
Query = Mapping[str, Sequence[str]]


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    LINES = "jsonl"


@dataclass(frozen=True, slots=True)
class CostQuery:
    """`edges` are where the stretches begin, and where the last one ends."""

    edges: tuple[datetime, ...]
    zone: ZoneInfo
    interval: Interval | None
    group_by: tuple[Dimension, ...]
    only: Only
    format: Format


def parse_costs(query: Query, *, time_zone: str, now: datetime, known: Sequence[str] = ANALYTICS) -> CostQuery:
    """Raises InvalidRequest naming the parameter. Without a range: the last 30 local days, today included."""
    refuse_unknown(query, known)
    zone = parse_zone(single(query, "timezone") or time_zone)
    since, until = parse_range(query, zone, now)
    interval = parse_choice(query, "interval", Interval)
    wanted = parse_choice(query, "format", Format) or Format.JSON
    edges = edges_between(since, until, zone=zone, interval=interval)
    if wanted is Format.JSON and len(edges) > MOST_INTERVALS:
        raise InvalidRequest(
            f"This range has more than {MOST_INTERVALS} intervals: ask for a shorter one, a longer interval, or "
            f"for format={Format.CSV}.",
            param="interval",
        )
    return CostQuery(tuple(edges), zone, interval, parse_grouping(query), parse_filters(query), wanted)


def parse_range(query: Query, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    if (period := single(query, "period")) is not None:
        if other := next((name for name in ("from", "to") if name in query), None):
            raise InvalidRequest(f"Use either period or {other}.", param=other)
        return parse_period(period, tomorrow, zone, now)
    end = parse_day("to", single(query, "to"), default=tomorrow)
    first = parse_day("from", single(query, "from"), default=end - timedelta(days=DEFAULT_DAYS))
    check_range(first, end)
    return midnight(first, zone), midnight(end, zone)


def parse_period(text: str, tomorrow: date, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """Days are local ones, today included; hours end with the quarter of an hour that is now."""
    found = PERIOD.fullmatch(text)
    number, unit = (int(found[1]), found[2]) if found else (0, "")
    if unit == "d" and number <= LONGEST_DAYS:
        return midnight(tomorrow - timedelta(days=number), zone), midnight(tomorrow, zone)
    if unit == "h" and number <= LONGEST_HOURS:
        until = bucket_of(now) + BUCKET
        return until - timedelta(hours=number), until
    raise InvalidRequest(
        f"period is a number of days like 7d, at most {LONGEST_DAYS}, or of hours like 24h, at most {LONGEST_HOURS}.",
        param="period",
    )


def parse_grouping(query: Query) -> tuple[Dimension, ...]:
    found = values(query, "group_by", dimension)
    if len(set(found)) < len(found):
        raise InvalidRequest("group_by names each dimension once.", param="group_by")
    return found


def dimension(text: str) -> Dimension:
    try:
        return Dimension(text)
    except ValueError:
        raise ValueError(f"group_by takes any of {', '.join(Dimension)}, separated by commas.") from None


def parse_filters(query: Query) -> Only:
    return Only(
        models=values(query, "model", name),
        providers=values(query, "provider", name),
        api_keys=values(query, "api_key", identifier),
        users=values(query, "user", identifier),
    )


def name(text: str) -> str:
    if not text or len(text) > LONGEST_VALUE or not text.isprintable():
        raise ValueError(f"Use names of 1 to {LONGEST_VALUE} characters, separated by commas.")
    return text


def identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("Use ids like 0198c0de-0000-7000-8000-000000000000, separated by commas.") from None


def values(query: Query, parameter: str, read: Callable[[str], Value]) -> tuple[Value, ...]:
    """Separated by commas or repeated. Raises InvalidRequest with what `read` says in a ValueError."""
    texts = [part.strip() for given in query.get(parameter, ()) for part in given.split(",")]
    if len(texts) > MOST_VALUES:
        raise InvalidRequest(f"{parameter} takes at most {MOST_VALUES} values.", param=parameter)
    try:
        return tuple(read(text) for text in texts)
    except ValueError as error:
        raise InvalidRequest(f"{error}", param=parameter) from None


def parse_choice(query: Query, parameter: str, kind: type[Choice]) -> Choice | None:
    text = single(query, parameter)
    try:
        return None if text is None else kind(text)
    except ValueError:
        raise InvalidRequest(f"{parameter} must be one of {', '.join(kind)}.", param=parameter) from None
