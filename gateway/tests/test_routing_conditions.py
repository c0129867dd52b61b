"""Schedules by the clock on the wall: nights, days of the week, and the two days a year that are not 24 hours long."""

from datetime import UTC, datetime

import pytest

from gateway.routing.conditions import holds
from providers.route_policy import Schedule

BERLIN = "Europe/Berlin"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-15T06:59:59", False),
        ("2026-06-15T07:00:00", True),
        ("2026-06-15T14:59:59", True),
        ("2026-06-15T15:00:00", False),
    ],
)
def test_the_start_is_in_and_the_end_is_not(moment, expected):
    """Berlin is two hours ahead in summer."""
    assert holds(Schedule(start="09:00", end="17:00", time_zone=BERLIN), at(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T21:59:59", False),
        ("2026-11-20T22:00:00", True),
        ("2026-11-21T00:00:00", True),
        ("2026-11-21T05:59:59", True),
        ("2026-11-21T06:00:00", False),
        ("2026-11-21T22:00:00", False),
        ("2026-11-22T03:00:00", False),
        # Thursday night is over on Friday morning, and was not asked for.
        ("2026-11-20T03:00:00", False),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(moment, expected):
    assert holds(Schedule(days=("fri",), start="22:00", end="06:00"), at(moment)) == expected


def test_sundays_night_ends_on_monday():
    sunday = Schedule(days=("sun",), start="23:00", end="01:00")
    assert holds(sunday, at("2026-11-23T00:30:00"))
    assert not holds(sunday, at("2026-11-22T00:30:00"))


@pytest.mark.parametrize("hour", ["00:00", "08:00"])
def test_the_same_start_and_end_are_a_whole_day(hour):
    """From that hour on, for 24 hours."""
    assert all(holds(Schedule(start=hour, end=hour), at(f"2026-11-21T{each:02}:30:00")) for each in range(24))
    saturday = Schedule(days=("sat",), start=hour, end=hour)
    assert holds(saturday, at(f"2026-11-21T{hour}:00"))
    assert not holds(saturday, at(f"2026-11-22T{hour}:00"))


def test_an_end_of_midnight_is_the_end_of_the_day():
    evening = Schedule(days=("sat",), start="20:00")
    assert holds(evening, at("2026-11-21T23:59:59"))
    assert not holds(evening, at("2026-11-22T00:00:00"))


def test_the_day_is_the_zones_own():
    monday = Schedule(days=("mon",), time_zone="Pacific/Auckland")
    assert holds(monday, at("2026-06-14T12:00:00"))
    assert not holds(monday, at("2026-06-15T12:00:00"))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2026-03-29T00:59:59", False), ("2026-03-29T01:00:00", True), ("2026-03-29T01:29:00", True)],
)
def test_in_spring_a_start_in_the_hour_that_is_missing_is_the_moment_of_the_change(moment, expected):
    """In Berlin 02:00 is followed by 03:00 at 01:00 UTC: from half past two on it is later than that."""
    assert holds(Schedule(start="02:30", end="05:00", time_zone=BERLIN), at(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-25T00:29:00", False),
        ("2026-10-25T00:30:00", True),
        # 02:00 once more: the clock on the wall says that it has not begun.
        ("2026-10-25T01:15:00", False),
        ("2026-10-25T01:30:00", True),
        ("2026-10-25T02:00:00", False),
    ],
)
def test_in_autumn_the_hour_that_comes_twice_is_read_as_the_wall_shows_it(moment, expected):
    assert holds(Schedule(start="02:30", end="03:00", time_zone=BERLIN), at(moment)) == expected
