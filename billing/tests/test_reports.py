"""Usage by day, model and key, in the tenant's own days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from billing.costs.intervals import midnight
from billing.ledger import statements
from billing.ledger.partitions import create_partitions
from billing.reports import Amounts, Grouping, usage
from billing.tests.entries import connect, id_made_at, make_intent, make_settlement, plain, store
from common.ids import new_id
from providers.wire.shapes import Usage
from tenants.door import TenantRef

pytestmark = pytest.mark.django_db(transaction=True)

# Of this year, because the ledger refuses months that are years away.
THIRD = datetime.combine(date.today().replace(day=3), time(12), UTC)
DAY = THIRD.date()
NEXT = DAY + timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")


@pytest.fixture
def tenant():
    return TenantRef(id=new_id(), slug="nobody", schema_name="public")


def spent(tenant, moment, *, asked=None, **ending):
    """`asked` is of the intent, the rest of its settlement."""
    intent = make_intent(request_id=id_made_at(moment), tenant_id=tenant.id, **(asked or {}))
    store(intents=[intent], settlements=[make_settlement(intent, **ending)])
    return intent


def day_label(index):
    return (DAY + timedelta(days=index)).isoformat()


def last_sunday(month):
    """When Berlin turns its clocks."""
    last = date(DAY.year, month, 31)
    return last - timedelta(days=last.isoweekday() % 7)


def days_of(report):
    return {row.label: row.amounts for row in report.rows}


def test_sums_by_day_with_a_row_for_every_day(tenant):
    first = THIRD
    spent(tenant, first, usage=Usage(10, 20, 3, 4, 5), cost_nano=7, charge_nano=9)
    spent(tenant, first + timedelta(hours=1), usage=Usage(1, 2), cost_nano=1, charge_nano=1)
    spent(
        tenant, first + timedelta(days=2), asked={"price_version": None}, cost_nano=0, charge_nano=0, usage=Usage(5, 5)
    )
    report = usage(tenant, first=DAY, end=DAY + timedelta(days=4), zone=ZoneInfo("UTC"), group_by=Grouping.DAY)
    assert days_of(report) == {
        day_label(0): Amounts(2, 0, 11, 22, 3, 4, 5, 8, 10),
        day_label(1): Amounts(),
        day_label(2): Amounts(1, 1, 5, 5, 0, 0, 0, 0, 0),
        day_label(3): Amounts(),
    }
    assert report.total == Amounts(3, 1, 16, 27, 3, 4, 5, 8, 10)


def test_the_range_is_half_open_in_local_time(tenant):
    begins, ends = midnight(DAY, KATHMANDU), midnight(NEXT, KATHMANDU)
    assert begins.time() == time(18, 15)
    for moment in (begins - timedelta(milliseconds=1), begins, ends - timedelta(milliseconds=1), ends):
        spent(tenant, moment, cost_nano=1)
    report = usage(tenant, first=DAY, end=NEXT, zone=KATHMANDU, group_by=Grouping.DAY)
    assert (report.total.requests, report.total.cost_nano) == (2, 2)


@pytest.mark.parametrize(("month", "hours"), [(3, 23), (10, 25)])
def test_days_of_23_and_25_hours_hold_their_hours_and_sum_to_the_range(tenant, month, hours):
    turn = last_sunday(month)
    first, end = turn - timedelta(days=1), turn + timedelta(days=2)
    create_partitions(today=turn)
    moment, stop = midnight(first, BERLIN), midnight(end, BERLIN)
    intents = []
    while moment < stop:
        intents.append(make_intent(request_id=id_made_at(moment + timedelta(minutes=30)), tenant_id=tenant.id))
        moment += timedelta(hours=1)
    store(intents=intents, settlements=[make_settlement(intent, cost_nano=1) for intent in intents])
    report = usage(tenant, first=first, end=end, zone=BERLIN, group_by=Grouping.DAY)
    assert [row.amounts.requests for row in report.rows] == [24, hours, 24]
    assert sum(row.amounts.cost_nano for row in report.rows) == report.total.cost_nano == len(intents)
    singles = [
        usage(tenant, first=day, end=day + timedelta(days=1), zone=BERLIN, group_by=Grouping.MODEL).total
        for day in (first, turn, turn + timedelta(days=1))
    ]
    assert [single.requests for single in singles] == [24, hours, 24]


def test_midnight_that_the_clocks_skip_is_the_moment_they_do():
    assert midnight(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_correction_changes_the_sums_and_is_no_request(tenant):
    moment = THIRD
    guess = spent(
        tenant, moment, outcome="killed", usage_source="estimated", usage=Usage(100), cost_nano=50, charge_nano=0
    )
    truth = make_settlement(guess, usage=Usage(80, 40), cost_nano=70, charge_nano=75)
    with connect() as connection:
        connection.execute(plain(statements.INSERT_CORRECTIONS), [statements.encode_settlements([truth])])
    report = usage(tenant, first=DAY, end=NEXT, zone=BERLIN, group_by=Grouping.DAY)
    assert report.total == Amounts(requests=1, input_tokens=80, output_tokens=40, cost_nano=70, charge_nano=75)


def test_a_request_that_failed_over_counts_for_each_model_and_once_in_total(tenant):
    moment = THIRD
    first = spent(tenant, moment, asked={"model": "one"}, outcome="failed", cost_nano=1)
    second = msgspec.structs.replace(first, model="two", attempt=2)
    third = msgspec.structs.replace(first, model="three", attempt=3)
    store(
        intents=[second, third],
        settlements=[
            make_settlement(second, cost_nano=10),
            make_settlement(third, outcome="not_dispatched", cost_nano=0, usage=Usage()),
        ],
    )
    report = usage(tenant, first=DAY, end=NEXT, zone=BERLIN, group_by=Grouping.MODEL)
    assert {row.label: (row.amounts.requests, row.amounts.cost_nano) for row in report.rows} == {
        "demo/one": (1, 1),
        "demo/two": (1, 10),
        "demo/three": (0, 0),
    }
    assert (report.total.requests, report.total.cost_nano) == (1, 11)


def test_grouped_by_key_with_the_keys_name(cast):
    acme = cast.acme
    moment = datetime.now(UTC)
    spent(acme.tenant, moment, asked={"api_key_id": acme.key_uuid}, cost_nano=3)
    spent(acme.tenant, moment, asked={"api_key_id": None}, cost_nano=4)
    today = moment.date()
    report = usage(acme.tenant, first=today, end=today + timedelta(days=1), zone=ZoneInfo("UTC"), group_by=Grouping.KEY)
    found = {row.label: (row.key_name, row.amounts.cost_nano >= 3) for row in report.rows}
    assert found[str(acme.key_uuid)] == ("test", True)
    assert found[None] == (None, True)


def test_charlie_sees_nothing_of_acme(cast):
    moment = datetime.now(UTC)
    spent(cast.acme.tenant, moment)
    today = moment.date()
    for grouping in Grouping:
        report = usage(
            cast.globex.tenant, first=today, end=today + timedelta(days=1), zone=ZoneInfo("UTC"), group_by=grouping
        )
        assert report.total == Amounts()
