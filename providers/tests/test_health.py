"""How the platform's providers are, seen over real sockets."""

import json
from typing import Any

import pytest

from providers import health, tasks
from providers.actions.credentials import set_credential
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.client import probe as client
from providers.tests.listing_vendor import vendor
from tenants.config_version import redis_client

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "sk-very-secret-0123456789"


@pytest.fixture
def new_provider():
    made = []

    def make(name, base_url):
        made.append(create_provider(owner=None, name=name, base_url=base_url))
        return made[-1]

    yield make
    for provider_id in made:
        delete_provider(owner=None, provider_id=provider_id)
    redis_client().delete(health.KEY)


def look():
    tasks.check_providers()
    kept: Any = redis_client().hgetall(health.KEY)
    return health.decode([each for pair in kept.items() for each in pair])


def test_a_provider_is_asked_with_its_credential_and_what_is_kept_holds_no_secret(new_provider):
    with vendor(200) as (url, asked):
        provider_id = new_provider("looked-at", url)
        set_credential(owner=None, provider_id=provider_id, label="main", secret=SECRET)
        seen = look()["looked-at"]
    assert (seen.status, seen.error) == ("healthy", "")
    assert seen.latency_ms > 0
    assert asked == [("/v1/models", f"Bearer {SECRET}")]
    kept = redis_client().hget(health.KEY, "looked-at")
    assert json.loads(kept or b"{}").keys() == {"status", "latency_ms", "checked_at", "error"}
    assert 0 < redis_client().ttl(health.KEY) <= 180


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, ""), (401, "credential_refused"), (403, "credential_refused"), (500, "server_error"), (None, "timeout")],
)
def test_what_an_answer_means(new_provider, monkeypatch, status, error):
    if error == "timeout":
        monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.3)
    with vendor(status) as (url, _):
        new_provider("answering", url)
        seen = look()["answering"]
    assert (seen.status, seen.error) == ("failing" if error else "healthy", error)


def test_nobody_there_and_nobody_asked(new_provider):
    with vendor(200) as (url, _):
        pass
    gone = new_provider("gone", url)
    assert look()["gone"].error == "unreachable"
    change_provider(owner=None, provider_id=gone, enabled=False)
    assert "gone" not in look()
