"""GET /v1/health/providers and /v1/health/providers/{name}."""

import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.conf import settings

from billing.statistics import Spread
from console.api.health import spread
from console.tests.api_caller import ask, key_with, offer, refused, used
from providers import checks, circuits
from providers.actions.credentials import set_credential
from providers.actions.providers import delete_provider
from providers.checks import Check, CredentialCheck
from providers.circuits import Trouble, owner_name
from tenants.config_version import redis_client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(make_tenant):
    return make_tenant("health")


@pytest.fixture
def platform_provider():
    made = []

    def make(name, **fields):
        made.append(offer(None, name, **fields))
        return made[-1]

    yield make
    for each in made:
        delete_provider(owner=None, provider_id=each)


def seen(owner, provider, *latencies, error="", ago=timedelta(0), credentials=()):
    """Looks that found these latencies, one after the other."""
    at = datetime.now(UTC) - ago
    for number, latency in enumerate(latencies):
        moment = at - timedelta(seconds=len(latencies) - number)
        checks.keep(owner, {provider: Check(moment, latency, error, credentials)})


def healths(tenant, **query):
    status, answer = ask(tenant, "health/providers", **query)
    assert status == 200, answer
    return {each["provider"]: each for each in answer["data"]}


def test_a_provider_of_ones_own_with_its_credentials_and_traffic(tenant):
    made = offer(tenant.tenant, "own")
    good, bad = (
        set_credential(owner=tenant.tenant, provider_id=made, label=label, secret="sk-secret-0123456789")
        for label in ("good", "bad")
    )
    both = (CredentialCheck(good, 30.0, ""), CredentialCheck(bad, 12.0, "credential_refused"))
    seen(tenant.tenant, made, 10.0, 20.0, 30.0, credentials=both)
    for outcome in ("completed", "failed"):
        used(tenant, asked={"provider": "own", "provider_scope": "tenant"}, outcome=outcome, duration_ms=70)
    status, found = ask(tenant, "health/providers/own")
    assert status == 200
    assert (found["status"], found["circuit"], found["scope"], found["last_error"]) == (
        "healthy",
        "closed",
        "tenant",
        None,
    )
    assert found["checks"] == {
        "count": 3,
        "error_rate": 0.0,
        "latency_ms": {"average": 20.0, "p50": 20, "p95": 30, "p99": 30},
    }
    by_label = {each["label"]: each for each in found["credentials"]}
    assert (by_label["good"]["status"], by_label["good"]["latency_ms"]) == ("healthy", 30.0)
    assert (by_label["bad"]["status"], by_label["bad"]["last_error"]) == ("failing", "credential_refused")
    assert (found["traffic"]["error_rate"], found["traffic"]["latency_ms"]["p50"]) == (0.5, 70)
    assert found == healths(tenant)["own"] | {"traffic": found["traffic"]}


def test_what_failed_last_is_failing_and_what_nobody_looked_at_is_unknown(tenant):
    failing, stale, off = (offer(tenant.tenant, name, **fields) for name, fields in
                           (("failing", {}), ("stale", {}), ("off", {"enabled": False})))  # fmt: skip
    offer(tenant.tenant, "new")
    seen(tenant.tenant, failing, 5.0)
    seen(tenant.tenant, failing, 0.0, error="timeout")
    seen(tenant.tenant, stale, 5.0, ago=timedelta(minutes=10))
    seen(tenant.tenant, off, 5.0)
    found = healths(tenant)
    expected = {"failing": "failing", "stale": "unknown", "off": "unknown", "new": "unknown"}
    assert {name: found[name]["status"] for name in expected} == expected
    assert (found["failing"]["last_error"], found["failing"]["checks"]["error_rate"]) == ("timeout", 0.5)
    assert (found["new"]["last_check_at"], found["new"]["checks"]["latency_ms"]["p50"]) == (None, None)
    assert healths(tenant, status="failing").keys() == {"failing"}


def test_the_platforms_providers_are_shown_without_their_credentials(tenant, platform_provider):
    made = platform_provider("shared-health")
    key = set_credential(owner=None, provider_id=made, secret="sk-secret-0123456789")
    seen(None, made, 8.0, credentials=(CredentialCheck(key, 8.0, ""),))
    found = healths(tenant)["shared-health"]
    assert (found["status"], found["scope"], found["credentials"]) == ("healthy", "platform", [])
    assert found["check_interval_seconds"] == settings.ENVIRONMENT.health_check_interval


def test_a_provider_of_another_plan_and_a_hidden_one_are_not_there(tenant, platform_provider):
    platform_provider("for-the-rich", offered_to_plans=["rich"])
    platform_provider("twice")
    offer(tenant.tenant, "twice")
    found = healths(tenant)
    assert "for-the-rich" not in found
    assert found["twice"]["scope"] == "tenant"
    assert refused(tenant, "health/providers/for-the-rich") == (404, "not_found", "name")


def test_the_worst_circuit_of_a_provider_is_shown_to_whom_it_belongs(tenant, make_tenant, platform_provider):
    platform_provider("shared-circuit")
    stranger = make_tenant("circuit-stranger")
    for each in (tenant, stranger):
        for name in ("broken", "probing", "resting"):
            offer(each.tenant, name)
    now, owner = time.time(), owner_name(tenant.tenant.id)
    told = {
        f"{owner}/broken/model#a": Trouble(opened_at=now, until=now + 60),
        f"{owner}/broken/model#b": Trouble(opened_at=now - 9, until=now - 5),
        f"{owner}/probing/model#": Trouble(opened_at=now - 9, until=now - 5),
        f"{owner}/resting/model#": Trouble(rests_until=now + 60),
        "platform/shared-circuit/some/model#": Trouble(opened_at=now, until=now + 60),
    }
    redis_client().hset(circuits.KEY, mapping={key: msgspec.json.encode(each) for key, each in told.items()})
    try:
        assert {name: each["circuit"] for name, each in healths(tenant).items() if each["circuit"] != "closed"} == {
            "broken": "open",
            "probing": "half_open",
            "shared-circuit": "open",
        }
        assert ask(tenant, "health/providers/broken")[1]["circuit"] == "open"
        theirs = healths(stranger)
        assert (theirs["broken"]["circuit"], theirs["shared-circuit"]["circuit"]) == ("closed", "open")
    finally:
        redis_client().hdel(circuits.KEY, *told)


def test_charlie_sees_nothing_of_acme(cast, make_tenant):
    acme = make_tenant("acme-health")
    made = offer(acme.tenant, "acmes-health")
    seen(acme.tenant, made, 5.0)
    assert healths(acme)["acmes-health"]["status"] == "healthy"
    assert "acmes-health" not in healths(cast.globex)
    assert refused(cast.globex, "health/providers/acmes-health") == (404, "not_found", "name")


def test_the_list_is_paged_by_name(tenant):
    for name in ("a-one", "b-two", "c-three"):
        offer(tenant.tenant, name)
    _, first = ask(tenant, "health/providers", limit="2")
    assert ([each["provider"] for each in first["data"]][:2], first["has_more"]) == (["a-one", "b-two"], True)
    assert next(iter(healths(tenant, after="b-two"))) == "c-three"


def test_percentiles_of_looks_are_observed_values():
    assert spread([float(number) for number in range(100, 0, -1)]) == Spread(50.5, 50, 95, 99)
    assert spread([7.0]) == Spread(7.0, 7, 7, 7)
    assert spread([]) == Spread()


@pytest.mark.parametrize("path", ["health/providers", "health/providers/own"])
def test_a_key_without_the_scope_is_refused(tenant, path):
    assert refused(tenant, path, key=key_with(tenant, "usage:read"))[:2] == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("health/providers", {"status": "ill"}, "status"),
        ("health/providers", {"limit": "0"}, "limit"),
        ("health/providers", {"name": "own"}, "name"),
        ("health/providers/own", {"period": "1d"}, "period"),
    ],
)
def test_what_is_wrong_is_named(tenant, path, query, named):
    assert refused(tenant, path, **query) == (400, "invalid_request", named)
