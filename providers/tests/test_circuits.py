"""What people are shown of circuits."""

import time

import msgspec
import pytest
from django.test import override_settings
from django.urls import reverse

from common.ids import new_id
from providers import circuits
from providers.actions.providers import create_provider, delete_provider
from providers.circuits import SECONDS_KEPT, Trouble, owner_and_provider, worst_by_provider
from tenants.config_version import redis_client

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("platform/openai/gpt-4o#default", ("platform", "openai")),
        ("t:12ab/own/some/model/with#a/slash", ("t:12ab", "own")),
        ("nonsense", ("nonsense", "")),
    ],
)
def test_a_targets_key_names_its_owner_and_provider(key, named):
    assert owner_and_provider(key) == named


def test_the_worst_target_counts_and_what_is_past_does_not():
    troubles = {
        "platform/a/one#": Trouble(opened_at=NOW - 1, until=NOW + 1),
        "platform/a/two#": Trouble(opened_at=NOW - 9, until=NOW - 5),
        "platform/b/one#": Trouble(rests_until=NOW + 9),
        "platform/c/one#": Trouble(opened_at=NOW - SECONDS_KEPT - 9, until=NOW - SECONDS_KEPT - 5),
    }
    assert worst_by_provider(troubles, NOW) == {("platform", "a"): "open", ("platform", "b"): "closed"}


def test_what_another_version_wrote_is_left_out():
    good = Trouble(failures=5, until=NOW)
    kept = [(b"a", msgspec.json.encode(good)), (b"b", b'{"until": "never"}'), (b"\xff", b"{}")]
    assert circuits.decode(kept) == {"a": good}


@pytest.fixture
def provider():
    name = f"circuits-{new_id().hex[-12:]}"
    provider_id = create_provider(owner=None, name=name, base_url="http://h/v1")
    yield name
    delete_provider(owner=None, provider_id=provider_id)


@pytest.fixture
def listed(operator, provider):
    """What the operators' list of providers says of its circuits."""

    def read():
        with override_settings(PUBLIC_SCHEMA_URLCONF="tenants.tests.urls"):
            page = operator.get(reverse("admin:providers_provider_changelist"), {"q": provider}).content.decode()
        return page.partition('class="field-circuit">')[2].partition("<")[0]

    return read


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tenants.tests.urls")
def test_operators_see_the_circuits_of_the_platforms_providers(listed, provider):
    assert listed() == "closed"
    key, now = f"platform/{provider}/model#", time.time()
    try:
        for until, shown in ((now + 60, "open"), (now - 1, "half open")):
            redis_client().hset(circuits.KEY, key, msgspec.json.encode(Trouble(opened_at=now - 5, until=until)))
            assert listed() == shown
        redis_client().set(circuits.KEY, "no hash")
        assert listed() == "unknown"
    finally:
        redis_client().delete(circuits.KEY)
