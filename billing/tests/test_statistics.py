"""How providers and models did, against tables worked out by hand."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest

from billing.ledger import statements
from billing.statistics import STATISTICS, Performance, Spread, Subject, SubjectRow, statistics
from billing.tests.entries import connect, id_made_at, make_intent, make_settlement, plain, store
from common.ids import earliest_id, month_of, new_id
from providers.wire.shapes import Usage
from tenants.door import TenantRef

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime.combine(date.today().replace(day=3), time(12), UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def tenant():
    return TenantRef(id=new_id(), slug="nobody", schema_name="public")


def asked(tenant, moment=NOON, **fields):
    return make_intent(request_id=id_made_at(moment), tenant_id=tenant.id, **fields)


def ended(intent, **ending):
    store(intents=[intent], settlements=[make_settlement(intent, **ending)])
    return intent


def seen(tenant, group_by=Subject.MODEL, since=NOON - HOUR, until=NOON + HOUR):
    return statistics(tenant, since=since, until=until, group_by=group_by)


def test_percentiles_are_those_of_a_table_worked_out_by_hand(tenant):
    """1 to 100 ms in any order and one of 1,000 ms. Of 101 the nearest ranks are the 51st, the 96th and the 100th."""
    durations = [*range(100, 0, -1), 1_000]
    intents = [asked(tenant, stream=True) for _ in durations]
    store(
        intents=intents,
        settlements=[
            make_settlement(intent, duration_ms=ms, time_to_first_chunk_ms=ms * 2)
            for intent, ms in zip(intents, durations, strict=True)
        ],
    )
    total = seen(tenant).total
    assert (total.latency.p50, total.latency.p95, total.latency.p99) == (51, 96, 100)
    assert (total.first_chunk.p50, total.first_chunk.p95, total.first_chunk.p99) == (102, 192, 200)
    assert total.latency.average == pytest.approx(6050 / 101)
    assert total.first_chunk.average == pytest.approx(12100 / 101)


def test_one_observation_is_every_percentile_and_none_is_no_number(tenant):
    ended(asked(tenant, stream=False), duration_ms=70, time_to_first_chunk_ms=65)
    total = seen(tenant).total
    assert total.latency == Spread(70.0, 70, 70, 70)
    assert total.first_chunk == Spread()
    assert seen(tenant, since=NOON + HOUR, until=NOON + 2 * HOUR).total == Performance()


def test_each_ending_counts_as_what_it_is(tenant):
    for outcome in ("completed", "completed", "completed", "failed", "cut", "aborted", "killed", "not_dispatched"):
        ended(asked(tenant), outcome=outcome, duration_ms=10 if outcome == "completed" else 9_000)
    total = seen(tenant).total
    assert (total.requests, total.attempts, total.successes, total.errors) == (7, 7, 3, 2)
    assert total.error_rate == pytest.approx(0.4)
    assert (total.latency.p99, total.busy_ms, total.generated) == (10, 30, 90)
    assert Performance(attempts=1).error_rate is None


def test_a_request_that_failed_over_shows_each_attempt_and_is_one_request(tenant):
    first = ended(asked(tenant, provider="one"), outcome="failed", cost_nano=1, charge_nano=0, usage=Usage(5))
    again = msgspec.structs.replace(first, attempt=2)
    over = msgspec.structs.replace(first, provider="two", attempt=3)
    store(
        intents=[again, over],
        settlements=[
            make_settlement(again, outcome="failed", usage=Usage(5), cost_nano=1, charge_nano=0),
            make_settlement(over, usage=Usage(5, 7), cost_nano=10, charge_nano=12),
        ],
    )
    found = seen(tenant, Subject.PROVIDER)
    counts = {row.provider: (row.performance.requests, row.performance.attempts) for row in found.rows}
    assert counts == {"one": (1, 2), "two": (1, 1)}
    assert (found.total.requests, found.total.attempts) == (1, 3)
    sums = found.total
    assert (sums.input_tokens, sums.output_tokens, sums.cost_nano, sums.charge_nano) == (15, 7, 12, 12)


def test_a_correction_changes_sums_and_nothing_else(tenant):
    guess = ended(
        asked(tenant), outcome="killed", usage_source="estimated", usage=Usage(100), cost_nano=50, charge_nano=0
    )
    truth = make_settlement(guess, usage=Usage(80, 40), cost_nano=70, charge_nano=75)
    with connect() as connection:
        connection.execute(plain(statements.INSERT_CORRECTIONS), [statements.encode_settlements([truth])])
    assert seen(tenant).total == Performance(
        requests=1, attempts=1, input_tokens=80, output_tokens=40, cost_nano=70, charge_nano=75
    )


def test_rows_tell_models_providers_and_whose_they_are_apart(tenant):
    for provider, scope, model in (
        ("beta", "tenant", "m"),
        ("Alpha", "platform", "m"),
        ("beta", "platform", "n"),
        ("beta", "tenant", "k/l"),
    ):
        ended(asked(tenant, provider=provider, provider_scope=scope, model=model))

    def names(group_by):
        return [(row.provider, row.scope, row.model) for row in seen(tenant, group_by).rows]

    assert names(Subject.MODEL) == [
        ("Alpha", "platform", "m"),
        ("beta", "platform", "n"),
        ("beta", "tenant", "k/l"),
        ("beta", "tenant", "m"),
    ]
    assert names(Subject.PROVIDER) == [
        ("Alpha", "platform", None),
        ("beta", "platform", None),
        ("beta", "tenant", None),
    ]


def test_the_range_is_half_open_and_reaches_over_the_turn_of_a_month(tenant):
    turn = datetime.combine(NOON.date().replace(day=1), time(), UTC)
    since, until = turn - HOUR, turn + HOUR
    instant = timedelta(milliseconds=1)
    for moment in (since - instant, since, turn - instant, turn, until - instant, until):
        ended(asked(tenant, moment))
    assert seen(tenant, since=since, until=until).total.requests == 4
    assert seen(tenant, since=since, until=turn).total.requests == 2
    assert seen(tenant, since=turn, until=until).total.requests == 2


def test_charlie_sees_nothing_of_acme(cast):
    moment = datetime.now(UTC)
    ended(asked(cast.acme.tenant, moment, model="acmes-own"))

    def models(tenant):
        found = statistics(tenant, since=moment - HOUR, until=moment + HOUR, group_by=Subject.MODEL)
        return {row.model for row in found.rows}

    assert "acmes-own" in models(cast.acme.tenant)
    assert "acmes-own" not in models(cast.globex.tenant)


def test_it_reads_a_tenants_range_by_index_in_the_months_asked_for(tenant):
    ended(asked(tenant))
    first, end = earliest_id(NOON - HOUR), earliest_id(NOON + HOUR)
    parameters = {
        "tenant_id": tenant.id,
        "first": first,
        "end": end,
        "first_month": month_of(first),
        "last_month": month_of(end),
        "points": [0.5],
    }
    with connect() as connection:
        connection.execute("SET enable_seqscan = off")
        found = connection.execute("EXPLAIN " + STATISTICS.format(model="model"), parameters).fetchall()
    steps = "\n".join(row["QUERY PLAN"] for row in found)
    assert "tenant_id_request_id" in steps
    assert steps.count("billing_settlement_") == steps.count(f"billing_settlement_{NOON:%Y_%m}")


def test_a_row_is_a_value(tenant):
    ended(asked(tenant, provider="p", model="m"), usage=Usage(3, 4), duration_ms=8, cost_nano=1, charge_nano=2)
    (row,) = seen(tenant).rows
    assert row == SubjectRow("p", "platform", "m", seen(tenant).total)
