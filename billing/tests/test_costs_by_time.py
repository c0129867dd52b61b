"""Costs by local days, hours and quarters: they sum to their range in every zone, also where the clocks turn."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.costs.intervals import Interval, edges_between, label_of, midnight
from billing.costs.query import costs
from billing.ledger.partitions import create_partitions
from billing.rollups.frontier import bucket_of
from billing.rollups.rolling import rebuild, roll
from billing.tests.rolled_ledger import fill, whole_ledger
from common.ids import new_id
from tenants.door import TenantRef

YEAR = datetime.now(UTC).year
QUARTER = timedelta(minutes=15)


def sunday(month, week):
    """Of this year; week -1 is the last."""
    days = [date(YEAR, month, day) for day in range(1, 31 if month in {4, 9, 11} else 32)]
    return [day for day in days if day.isoweekday() == 7][week]


# The days around which clocks turn, or of a zone that has quarters or halves.
TURNS = [
    ("Europe/Berlin", sunday(3, -1), 23),
    ("Europe/Berlin", sunday(10, -1), 25),
    ("America/New_York", sunday(3, 1), 23),
    ("America/New_York", sunday(11, 0), 25),
    ("Australia/Lord_Howe", sunday(4, 0), 24.5),
    ("Australia/Lord_Howe", sunday(10, 0), 23.5),
    ("Asia/Kolkata", sunday(10, 1), 24),
    ("Asia/Kathmandu", sunday(10, 1), 24),
    ("Pacific/Chatham", sunday(4, 0), 25),
    ("UTC", sunday(10, 1), 24),
]
IDS = [f"{zone}-{hours}" for zone, _, hours in TURNS]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("name", "turn", "hours"), TURNS, ids=IDS)
def test_days_hours_and_quarters_sum_to_the_range(name, turn, hours):
    zone = ZoneInfo(name)
    tenant = TenantRef(id=new_id(), slug="nobody", schema_name="public")
    since, until = midnight(turn - timedelta(days=1), zone), midnight(turn + timedelta(days=2), zone)
    create_partitions(today=turn)
    quarters = (until - since) // QUARTER
    fill(tenant, since=since, until=until, count=quarters)
    roll()
    list(rebuild(since=since, until=until))
    ledger = whole_ledger(tenant, since, until)
    found = {}
    for interval in Interval:
        report = costs(tenant, edges=edges_between(since, until, zone=zone, interval=interval))
        found[interval] = [row.figures for row in report.rows]
        assert report.total.cost_nano == sum(each.cost_nano for each in found[interval]) == ledger["cost_nano"]
        assert report.total.requests == sum(each.requests for each in found[interval]) == quarters
    assert [each.requests for each in found[Interval.DAY]] == [96, hours * 4, 96]
    local = Counter((since + QUARTER * index).astimezone(zone).date() for index in range(quarters))
    assert [each.requests for each in found[Interval.DAY]] == [local[day] for day in sorted(local)]


@pytest.mark.parametrize(("name", "turn", "hours"), TURNS, ids=IDS)
def test_every_edge_begins_a_bucket_and_has_a_label_of_its_own(name, turn, hours):
    zone = ZoneInfo(name)
    since, until = midnight(turn, zone), midnight(turn + timedelta(days=1), zone)
    assert until - since == timedelta(hours=hours)
    for interval in Interval:
        edges = edges_between(since, until, zone=zone, interval=interval)
        assert all(edge == bucket_of(edge) for edge in edges)
        assert sorted(set(edges)) == edges
        labels = [label_of(edge, zone=zone, interval=interval) for edge in edges]
        assert len(set(labels)) == len(edges)


def test_a_range_that_begins_within_a_day_keeps_its_own_ends():
    zone = ZoneInfo("Asia/Kathmandu")
    since = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
    edges = edges_between(since, since + timedelta(days=1), zone=zone, interval=Interval.DAY)
    assert edges == [since, datetime(2026, 11, 20, 18, 15, tzinfo=UTC), since + timedelta(days=1)]
    assert edges_between(since, edges[-1], zone=zone, interval=None) == [since, edges[-1]]


def test_midnight_that_the_clocks_skip_is_the_moment_they_do():
    assert midnight(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_the_two_hours_of_a_turned_clock_have_their_offsets():
    zone = ZoneInfo("Europe/Berlin")
    twice = [datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 1)]
    assert [label_of(each, zone=zone, interval=Interval.HOUR) for each in twice] == [
        "2026-10-25T02:00+02:00",
        "2026-10-25T02:00+01:00",
    ]
