"""The parameters of a page of records, from text to values."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, get_args
from uuid import UUID

from billing.decisions.reading import Wanted
from billing.decisions.records import Outcome
from common.errors import InvalidRequest
from common.ids import earliest_id
from providers.api.listing import parameters, text

DEFAULT_DAYS: Final = 30
LONGEST_DAYS: Final = 366
OUTCOMES: Final[tuple[str, ...]] = get_args(Outcome)
FIRST_YEAR, LAST_YEAR = 2000, 2100
TOO_LATE: Final = earliest_id(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))


def parse_wanted(query: Mapping[str, str], *, now: datetime) -> Wanted:
    """Raises InvalidRequest naming the parameter. Without a range: the last 30 days."""
    known = {
        "after": request_id,
        "model": text,
        "route": text,
        "outcome": outcome,
        "api_key_id": identifier,
        "since": moment,
        "until": moment,
    }
    values = parameters(query, known)
    values["after"] = values["after"] or None
    until = values.pop("until", now + timedelta(minutes=1))
    since = values.pop("since", until - timedelta(days=DEFAULT_DAYS))
    if not timedelta() < until - since <= timedelta(days=LONGEST_DAYS):
        raise InvalidRequest(f"since must lie before until, by at most {LONGEST_DAYS} days.", param="since")
    return Wanted(since=since, until=until, **values)


def parse_request_id(written: str) -> UUID | None:
    """A request's id, or None for what cannot be one: those are UUIDs of version 7 that a clock here can
    have made, as they are written."""
    try:
        found = UUID(written)
    except ValueError:
        return None
    return found if found.version == 7 and found < TOO_LATE and str(found) == written.lower() else None


def request_id(written: str) -> UUID:
    found = parse_request_id(written)
    if found is None:
        raise ValueError("Use the id of the last entry seen.")
    return found


def identifier(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        raise ValueError("Use an id like 0198c0de-0000-7000-8000-000000000000.") from None


def outcome(written: str) -> str:
    if written not in OUTCOMES:
        raise ValueError(f"Use one of {', '.join(OUTCOMES)}.")
    return written


def moment(written: str) -> datetime:
    wrong = ValueError(f"Use a time with its zone like 2026-11-21T08:00:00Z, from {FIRST_YEAR} to {LAST_YEAR}.")
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise wrong from None
    if found.tzinfo is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise wrong
    return found
