"""A page's query on a ledger of 100,000 rows: rollups by index, and of the ledger no more than is not rolled up."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as db

from billing.costs.figures import ANY, Dimension, Only
from billing.costs.query import costs, parameters_of, sources, statement
from billing.ledger.partitions import create_partitions
from billing.rollups.frontier import bucket_of, progress
from billing.rollups.rolling import rebuild, roll
from billing.tests.entries import connect
from billing.tests.rolled_ledger import fill, whole_ledger
from common.ids import new_id
from tenants.door import TenantRef, tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)

TENANTS, REQUESTS = 5, 17_600
DAYS = timedelta(days=5)


@pytest.fixture(scope="module")
def until():
    return bucket_of(datetime.now(UTC))


@pytest.fixture(scope="module")
def tenant(django_db_setup, django_db_blocker, until):
    """One of five, which made 100,000 attempts in five days, rolled up and analysed as autovacuum would."""
    tenants = [TenantRef(id=new_id(), slug="nobody", schema_name="public") for _ in range(TENANTS)]
    with django_db_blocker.unblock():
        create_partitions(today=until.date())
        for each in tenants:
            fill(each, since=until - DAYS, until=until, count=REQUESTS, keys=[new_id(), new_id()], users=[new_id()])
        roll()
        list(rebuild(since=until - DAYS, until=until))
        with connect(role=None) as owner:
            owner.execute("ANALYZE public.billing_rollup, public.billing_settlement, public.billing_decision")
    return tenants[0]


def steps(plan):
    yield plan
    for each in plan.get("Plans", ()):
        yield from steps(each)


def explained(tenant, edges, group_by, only):
    """Scans of tables as they went: (table, kind of scan, rows), without those that never ran."""
    with tenant_scope(tenant), db.cursor() as cursor:
        rolled, late = sources(cursor, tenant, edges[0], edges[-1])
        parameters = {
            **parameters_of(tenant, edges, rolled, late),
            **{name: list(getattr(only, name)) for name in ("models", "providers", "api_keys", "users")},
            "most": None,
        }
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement(group_by, only), parameters)
        (found,) = cursor.fetchone()
    plan = json.loads(found) if isinstance(found, str) else found
    return [
        (step["Relation Name"], step["Node Type"], step["Actual Rows"] * step["Actual Loops"])
        for step in steps(plan[0]["Plan"])
        if "Relation Name" in step and step["Actual Loops"]
    ]


QUESTIONS = [
    ((), ANY),
    ((Dimension.MODEL, Dimension.USER), ANY),
    ((Dimension.API_KEY,), Only(models=("alpha/model-1",))),
    ((Dimension.PROVIDER,), Only(providers=("beta",))),
]


@pytest.mark.parametrize(("group_by", "only"), QUESTIONS)
def test_what_is_rolled_up_is_read_from_rollups_by_index(tenant, until, group_by, only):
    edges = [until - DAYS + timedelta(days=index) for index in range(5)]
    scans = explained(tenant, edges, group_by, only)
    assert {table for table, _, rows in scans if rows} == {"billing_rollup"}
    assert {kind for table, kind, _ in scans if table == "billing_rollup"} <= {"Index Scan", "Bitmap Heap Scan"}


def test_of_the_ledger_only_the_tail_is_read(tenant, until):
    with tenant_scope(tenant), db.cursor() as cursor:
        reached = progress(cursor)
    assert reached is not None
    tail = whole_ledger(tenant, reached.frontier, until)["attempts"]
    scans = explained(tenant, [until - DAYS, until], (), ANY)
    read = [(kind, rows) for table, kind, rows in scans if table.startswith("billing_settlement")]
    assert 0 < tail < 500
    assert sum(rows for _, rows in read) == tail
    assert {kind for kind, _ in read} <= {"Index Scan", "Bitmap Heap Scan"}


def test_and_the_sums_are_those_of_the_ledger(tenant, until):
    total = costs(tenant, edges=[until - DAYS, until]).total
    ledger = whole_ledger(tenant, until - DAYS, until)
    assert ledger["attempts"] > 20_000
    assert {name: getattr(total, name) for name in ledger} == ledger
