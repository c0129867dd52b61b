"""The ledger rolled up: exact to the nano, whatever comes late, again and again."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection as db
from psycopg.errors import InsufficientPrivilege

from billing.costs.figures import Dimension, Only
from billing.costs.query import costs
from billing.ledger import statements
from billing.ledger.partitions import create_partitions
from billing.rollups.frontier import BUCKET, bucket_of, progress
from billing.rollups.rolling import LOCK, rebuild, roll
from billing.statistics import Subject, statistics
from billing.tests.entries import connect, id_made_at, make_decision, make_intent, make_settlement, plain, store
from billing.tests.rolled_ledger import fill, quarters, whole_ledger
from common.ids import new_id
from providers.wire.shapes import Usage
from tenants.door import TenantRef, platform_scope

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
KEYS, USERS = [new_id(), new_id(), None], [new_id(), new_id()]


@pytest.fixture
def tenant():
    return TenantRef(id=new_id(), slug="nobody", schema_name="public")


@pytest.fixture(scope="module", autouse=True)
def rolled(django_db_setup, django_db_blocker):
    """Whatever other tests left."""
    with django_db_blocker.unblock():
        create_partitions(today=datetime.now(UTC).date())
        while roll().behind:
            pass


@pytest.fixture
def now():
    return datetime.now(UTC)


def rolled_rows(tenant):
    with connect() as connection:
        found = connection.execute("SELECT * FROM public.billing_rollup WHERE tenant_id = %s", [tenant.id]).fetchall()
    return sorted(found, key=str)


def exact(tenant, since, until):
    """What the one query says, which must be what the ledger says."""
    report = costs(tenant, edges=quarters(since, until))
    ledger = whole_ledger(tenant, since, until)
    assert {name: getattr(report.total, name) for name in ledger} == ledger
    for name in ("cost_nano", "charge_nano", "requests", "attempts"):
        assert sum(getattr(row.figures, name) for row in report.rows) == ledger[name]
    return report.total


def test_rollups_and_what_is_not_rolled_up_sum_to_the_ledger(tenant, now):
    since, until = bucket_of(now) - 30 * HOUR, bucket_of(now) + BUCKET
    fill(tenant, since=since, until=now, count=3_000, keys=KEYS, users=USERS)
    list(rebuild(since=since, until=until))
    assert exact(tenant, since, until).requests == 3_000
    stored = sum(row["cost_nano"] for row in rolled_rows(tenant))
    assert 0 < stored < whole_ledger(tenant, since, until)["cost_nano"]


def answers(tenant, since, until):
    every = [[], [Dimension.PROVIDER], [Dimension.MODEL], [Dimension.API_KEY, Dimension.USER]]
    some = [Only(providers=("alpha",)), Only(models=("beta/model-1",)), Only(users=(USERS[0],))]
    return [costs(tenant, edges=[since, until], group_by=group_by) for group_by in every] + [
        costs(tenant, edges=[since, until], only=only) for only in some
    ]


def test_a_request_counts_once_in_all_and_for_each_provider_and_model_that_was_asked(tenant, now):
    since, until = bucket_of(now) - 8 * HOUR, bucket_of(now) - 4 * HOUR
    fill(tenant, since=since, until=until, count=700, keys=KEYS, users=USERS)
    list(rebuild(since=since, until=until))
    found = answers(tenant, since, until)
    by_provider = found[1]
    assert {report.total.requests for report in found[:4]} == {700}
    assert sum(row.figures.requests for row in by_provider.rows) == 800
    assert [row.figures for row in by_provider.rows if row.labels == ("alpha",)] == [found[4].total]
    assert sum(row.figures.cost_nano for row in by_provider.rows) == by_provider.total.cost_nano


def test_rollups_and_the_ledger_answer_alike(tenant, now):
    since, until = bucket_of(now) - 8 * HOUR, bucket_of(now) - 4 * HOUR
    fill(tenant, since=since, until=until, count=700, keys=KEYS, users=USERS)
    with ledger_alone(since):
        unrolled = answers(tenant, since, until)
    list(rebuild(since=since, until=until))
    assert rolled_rows(tenant)
    assert answers(tenant, since, until) == unrolled


@contextmanager
def ledger_alone(since):
    """As it is while the first run has not come so far."""
    with connect() as connection:
        reached = connection.execute("SELECT frontier FROM public.billing_rollup_progress").fetchone()
        connection.execute("UPDATE public.billing_rollup_progress SET frontier = %s", [since])
        yield
        connection.execute("UPDATE public.billing_rollup_progress SET frontier = %s", [reached["frontier"]])


def test_what_settles_late_counts_at_once_and_is_rolled_up_by_the_next_run(tenant, now):
    since, until = bucket_of(now) - 8 * HOUR, bucket_of(now) - 7 * HOUR
    fill(tenant, since=since, until=until, count=40)
    list(rebuild(since=since, until=until))
    late = make_intent(request_id=id_made_at(since + timedelta(minutes=20)), tenant_id=tenant.id)
    store(intents=[late], settlements=[make_settlement(late, outcome="killed", cost_nano=50, charge_nano=0)])
    assert exact(tenant, since, until).requests == 41
    before = rolled_rows(tenant)
    assert roll().late >= 1
    assert len(rolled_rows(tenant)) == len(before) + 1
    truth = make_settlement(late, usage=Usage(80, 40), cost_nano=70, charge_nano=75)
    with connect() as connection:
        connection.execute(plain(statements.INSERT_CORRECTIONS), [statements.encode_settlements([truth])])
    corrected = costs(tenant, edges=[since, until]).total
    roll()
    assert costs(tenant, edges=[since, until]).total == corrected
    assert (corrected.requests, corrected.cost_nano) == (41, whole_ledger(tenant, since, until)["cost_nano"])
    assert sum(row["cost_nano"] for row in rolled_rows(tenant)) == corrected.cost_nano


def test_a_settlement_that_had_not_committed_when_its_bucket_was_rolled_up_is_not_missed(tenant, now):
    since, until = bucket_of(now) - 2 * HOUR, bucket_of(now) - HOUR
    slow = make_intent(request_id=id_made_at(since), tenant_id=tenant.id)
    roll()
    with connect() as connection:
        connection.execute("BEGIN")
        connection.execute(
            plain(statements.INSERT_SETTLEMENTS), [statements.encode_settlements([make_settlement(slow)])]
        )
        roll()
        assert not costs(tenant, edges=[since, until]).total.requests
        connection.execute("COMMIT")
    assert exact(tenant, since, until).requests == 1
    assert not rolled_rows(tenant)
    roll()
    assert len(rolled_rows(tenant)) == 1
    assert exact(tenant, since, until).requests == 1


def test_rolling_up_again_changes_nothing(tenant, now):
    since, until = bucket_of(now) - 6 * HOUR, bucket_of(now) - 4 * HOUR
    fill(tenant, since=since, until=until, count=100, keys=KEYS)
    list(rebuild(since=since, until=until))
    once = rolled_rows(tenant)
    list(rebuild(since=since, until=until))
    roll()
    assert once
    assert rolled_rows(tenant) == once


def test_the_command_repairs_a_stretch_and_shows_how_far_it_is(tenant, now):
    since, until = bucket_of(now) - 6 * HOUR, bucket_of(now) - 3 * HOUR
    fill(tenant, since=since, until=until, count=60)
    shown = StringIO()
    call_command("rebuild_rollups", f"--from={since.isoformat()}", f"--to={until.isoformat()}", stdout=shown)
    lines = shown.getvalue().splitlines()
    assert len(lines) == 4
    assert "100.0%" in lines[2]
    assert sum(row["requests"] for row in rolled_rows(tenant)) == 60


@pytest.mark.parametrize(("since", "until"), [("soon", "2026-11-21"), ("2026-11-21", "2026-11-21")])
def test_the_command_refuses_a_stretch_that_is_none(since, until):
    with pytest.raises(CommandError, match="--from"):
        call_command("rebuild_rollups", f"--from={since}", f"--to={until}")


def test_two_runs_at_once_are_one(now):
    with connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert roll().busy
        other.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    assert not roll().busy


def test_the_frontier_follows_the_clock_and_leaves_what_may_still_settle(now):
    roll(now=now)
    with platform_scope(), db.cursor() as cursor:
        reached = progress(cursor)
    assert reached is not None
    assert now - timedelta(minutes=30) < reached.frontier <= now - timedelta(minutes=15)


def test_a_hit_of_the_cache_is_no_request_and_says_what_it_saved(tenant, now):
    since, until = bucket_of(now) - HOUR, bucket_of(now) + BUCKET
    intent = make_intent(request_id=id_made_at(since + timedelta(minutes=1)), tenant_id=tenant.id)
    saved = {"saved_cost_nano": 700, "saved_charge_nano": 800}
    hit = make_decision(intent, outcome="cached", cache="hit", details=saved)
    salvaged = msgspec.structs.replace(hit, request_id=id_made_at(since), details={"saved_cost_nano": "lost"})
    answered = make_decision(make_intent(tenant_id=tenant.id), details=saved)
    store(decisions=[hit, salvaged, answered])
    for _ in range(2):
        total = costs(tenant, edges=[since, until]).total
        assert (total.requests, total.cache_hits, total.saved_cost_nano, total.saved_charge_nano) == (0, 2, 700, 800)
        roll()
    (by_model,) = costs(tenant, edges=[since, until], group_by=[Dimension.MODEL]).rows
    assert by_model.labels == ("default",)
    assert sum(row["cache_hits"] for row in rolled_rows(tenant)) == 2


def test_charlie_sees_nothing_of_acme_in_rollups_or_ledger(cast, now):
    since, until = bucket_of(now) - 5 * HOUR, bucket_of(now) + BUCKET
    # Other tests may have left something of globex's own.
    before = costs(cast.globex.tenant, edges=[since, until]).total
    fill(cast.acme.tenant, since=since, until=now, count=200)
    list(rebuild(since=since, until=until))
    assert costs(cast.acme.tenant, edges=[since, until]).total.requests >= 200
    assert costs(cast.globex.tenant, edges=[since, until]).total == before
    with connect("orchestrator_app") as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(cast.globex.tenant.id)])
        seen = connection.execute("SELECT DISTINCT tenant_id FROM public.billing_rollup").fetchall()
        assert {row["tenant_id"] for row in seen} <= {cast.globex.tenant.id}
        with pytest.raises(InsufficientPrivilege):
            connection.execute("DELETE FROM public.billing_rollup")


def test_statistics_say_the_same_of_the_same_time(tenant, now):
    """Its percentiles need the attempts themselves; all that adds up must agree."""
    since, until = bucket_of(now) - 8 * HOUR, bucket_of(now) + BUCKET
    fill(tenant, since=since, until=now, count=900, keys=KEYS)
    list(rebuild(since=since, until=until))
    total = costs(tenant, edges=[since, until]).total
    seen = statistics(tenant, since=since, until=until, group_by=Subject.MODEL).total
    for name in ("requests", "attempts", "errors", "input_tokens", "output_tokens", "cost_nano", "charge_nano"):
        assert getattr(total, name) == getattr(seen, name) > 0
    assert (total.completed, total.duration_ms) == (seen.successes, seen.busy_ms)
    assert (total.latency_ms, total.time_to_first_chunk_ms) == (seen.latency.average, seen.first_chunk.average)


def test_a_range_that_cuts_a_bucket_is_refused(tenant, now):
    with pytest.raises(ValueError, match="quarter of an hour"):
        costs(tenant, edges=[bucket_of(now), bucket_of(now) + timedelta(minutes=1)])
