"""GET /v1/statistics."""

from datetime import timedelta

import pytest

from console.tests.api_caller import ask, key_with, refused, used
from providers.wire.shapes import Usage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(make_tenant):
    return make_tenant("figures")


def test_a_day_by_provider(tenant):
    streamed = {"stream": True, "provider": "one", "provider_scope": "tenant"}
    for duration in (100, 200, 400):
        used(tenant, asked=streamed, duration_ms=duration, time_to_first_chunk_ms=duration // 10, usage=Usage(10, 70))
    used(tenant, asked=streamed, outcome="failed", usage=Usage(), cost_nano=0, charge_nano=0)
    used(tenant, asked=streamed, outcome="aborted", usage=Usage(10, 6), cost_nano=1, charge_nano=0)
    used(tenant, ago=timedelta(hours=25), asked=streamed)
    status, answer = ask(tenant, "statistics")
    assert (status, answer["object"], answer["period"], answer["group_by"]) == (200, "statistics", "24h", "provider")
    (row,) = answer["rows"]
    assert row == {
        "provider": "one",
        "scope": "tenant",
        "requests": 5,
        "attempts": 5,
        "successes": 3,
        "errors": 1,
        "success_rate": 0.75,
        "error_rate": 0.25,
        "latency_ms": {"average": 233.3, "p50": 200, "p95": 400, "p99": 400},
        "time_to_first_chunk_ms": {"average": 23.3, "p50": 20, "p95": 40, "p99": 40},
        "input_tokens": 40,
        "output_tokens": 216,
        "requests_per_minute": round(5 / 1440, 6),
        "output_tokens_per_second": 0.0025,
        "generation_tokens_per_second": 300.0,
        "cost_nano_usd": 3 * 4_321 + 1,
        "cost_usd": "0.000012964",
        "charge_nano_usd": 15_000,
        "charge_usd": "0.000015000",
    }
    assert answer["total"] == {name: value for name, value in row.items() if name not in ("provider", "scope")}


def test_longer_periods_reach_further_and_models_are_told_apart(tenant):
    used(tenant, ago=timedelta(hours=1), asked={"model": "new"})
    used(tenant, ago=timedelta(days=6), asked={"model": "old"})
    used(tenant, ago=timedelta(days=29), asked={"model": "older"})
    found = {
        period: [row["model"] for row in ask(tenant, "statistics", period=period, group_by="model")[1]["rows"]]
        for period in ("24h", "7d", "30d")
    }
    assert found == {"24h": ["new"], "7d": ["new", "old"], "30d": ["new", "old", "older"]}


def test_nothing_used_is_no_rows_and_no_rates(tenant):
    _, answer = ask(tenant, "statistics")
    assert answer["rows"] == []
    assert (answer["total"]["requests"], answer["total"]["error_rate"]) == (0, None)
    assert answer["total"]["latency_ms"] == {"average": None, "p50": None, "p95": None, "p99": None}


def test_charlie_sees_nothing_of_acme(cast):
    used(cast.acme, asked={"provider": "acmes-own"})

    def providers(tenant):
        return {row["provider"] for row in ask(tenant, "statistics", period="24h")[1]["rows"]}

    assert "acmes-own" in providers(cast.acme)
    assert "acmes-own" not in providers(cast.globex)


def test_a_key_without_the_scope_is_refused(tenant):
    assert refused(tenant, "statistics", key=key_with(tenant, "models:read"))[:2] == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"period": "1y"}, "period"),
        ({"period": ""}, "period"),
        ({"period": ["24h", "7d"]}, "period"),
        ({"group_by": "colour"}, "group_by"),
        ({"groupby": "model"}, "groupby"),
    ],
)
def test_what_is_wrong_is_named(tenant, query, named):
    assert refused(tenant, "statistics", **query) == (400, "invalid_request", named)
