"""Who may see and touch the ledger: a tenant its own rows, nobody a written one."""

from datetime import date

import psycopg
import pytest

from billing.ledger import statements
from billing.ledger.partitions import add_months, create_partitions
from billing.tests.entries import connect, make_decision, make_intent, make_settlement, plain, store
from common.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("billing_intent", "billing_settlement", "billing_decision")


@pytest.fixture
def acme_id():
    """A tenant with one attempt on record."""
    intent = make_intent()
    store(intents=[intent], settlements=[make_settlement(intent)], decisions=[make_decision(intent)])
    return intent.tenant_id


def seen_by(connection, table, tenant_id):
    """Tenants whose rows show to the role while it says it is `tenant_id`."""
    connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(tenant_id) if tenant_id else ""])
    return {row["tenant_id"] for row in connection.execute(f"SELECT tenant_id FROM public.{table}").fetchall()}


@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_sees_its_own_rows_and_charlie_sees_nothing_of_them(table, acme_id):
    with connect("orchestrator_app") as connection:
        assert seen_by(connection, table, acme_id) == {acme_id}
        assert seen_by(connection, table, new_id()) == set()
        assert seen_by(connection, table, None) == set()


@pytest.mark.parametrize("table", TABLES)
def test_the_same_look_finds_foreign_rows_once_the_guard_is_removed(table, acme_id):
    with connect(role=None) as owner:
        owner.autocommit = False
        owner.execute(f"ALTER TABLE public.{table} DISABLE ROW LEVEL SECURITY")
        owner.execute("SET LOCAL ROLE orchestrator_app")
        assert acme_id in seen_by(owner, table, new_id())
        owner.rollback()


@pytest.mark.parametrize("table", TABLES)
def test_the_owner_of_the_tables_is_bound_too(table, acme_id):
    with connect(role=None) as owner:
        assert seen_by(owner, table, acme_id) == set()


@pytest.mark.parametrize("role", ["orchestrator_app", "orchestrator_system"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change", ["UPDATE public.{} SET tenant_id = tenant_id", "DELETE FROM public.{}", "TRUNCATE public.{}"]
)
def test_what_is_written_stays(role, table, change):
    with connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(change.format(table))


@pytest.mark.parametrize("table", TABLES)
def test_the_app_role_writes_nothing_itself(table, acme_id):
    with connect("orchestrator_app") as connection:
        seen_by(connection, table, acme_id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"INSERT INTO public.{table} SELECT * FROM public.{table}")


def test_partitions_are_no_way_around_their_parent(acme_id):
    month = add_months(date.today(), 5)
    create_partitions(today=month)
    with connect(role=None) as owner:
        partitions = [
            row["name"]
            for row in owner.execute(
                "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = ANY(%s::regclass[])",
                [[f"public.{table}" for table in TABLES]],
            ).fetchall()
        ]
    assert {f"{table}_{month:%Y_%m}" for table in TABLES} <= {name.removeprefix("public.") for name in partitions}
    for role in ("orchestrator_app", "orchestrator_system"):
        for partition in partitions:
            with connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                seen_by(connection, partition.removeprefix("public."), acme_id)


def test_a_partition_shows_nothing_even_to_one_who_was_granted_it(acme_id):
    """Row security of its own behind the missing grant, so that one slip is not enough."""
    with connect(role=None) as owner:
        owner.autocommit = False
        partition = f"billing_settlement_{date.today():%Y_%m}"
        owner.execute(f"GRANT SELECT ON public.{partition} TO orchestrator_app")
        owner.execute("SET LOCAL ROLE orchestrator_app")
        assert seen_by(owner, partition, acme_id) == set()
        owner.rollback()


def test_a_row_cannot_be_put_into_the_wrong_month():
    intent = make_intent()
    values = {**statements.intent_values(intent), "month": add_months(date.today(), 1)}
    batch = statements.ENCODER.encode([values]).decode()
    with connect() as connection, pytest.raises(psycopg.errors.CheckViolation, match="month"):
        connection.execute(plain(statements.INSERT_INTENTS), [batch])


def test_partitions_are_made_once():
    today = add_months(date.today(), 14)
    create_partitions(today=today, months_ahead=1)
    assert create_partitions(today=today, months_ahead=1) == 0


def test_the_app_role_makes_no_partitions():
    with connect("orchestrator_app") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT public.billing_create_partitions(current_date)")


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), -1, date(2025, 12, 1)),
        (date(2026, 11, 21), 3, date(2027, 2, 1)),
        (date(2026, 12, 1), 0, date(2026, 12, 1)),
    ],
)
def test_months_are_counted_across_years(day, months, expected):
    assert add_months(day, months) == expected
