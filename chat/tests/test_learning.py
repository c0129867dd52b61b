"""What feedback teaches a tenant's routes."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from psycopg import sql

from billing.tests.entries import id_made_at, make_decision, make_intent, store, utc_now
from chat.feedback import give_feedback
from chat.learning import LEARNT_FROM, learn
from chat.models import Feedback
from chat.tasks import learn_from_feedback
from gateway.routing.auto.learning import Sample, learned_from
from providers.actions.routes import create_route
from providers.models import Route
from tenants.door import owner_rights, platform_scope, tenant_scope
from tenants.snapshots import load_identity

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(make_tenant):
    made = make_tenant("learns")
    for name in ("clever", "other"):
        create_route(owner=made.tenant, name=name, targets=["demo/small", "demo/large"], strategy="auto")
    create_route(owner=made.tenant, name="plain", targets=["demo/small"])
    return made


def answered(owner, *, route="clever", tier="simple", strategy="auto", **said):
    """A request that was led by the route and sorted into the tier, and what somebody says of it."""
    intent = make_intent(tenant_id=owner.tenant.id)
    decision = make_decision(intent, route=route, strategy=strategy, auto=None if tier is None else {"tier": tier})
    store(intents=[intent], decisions=[decision])
    key = owner.key_uuid
    give_feedback(tenant=owner.tenant, request_id=intent.request_id, user_id=None, api_key_id=key, **said)


def learned(owner, name="clever"):
    with tenant_scope(owner.tenant):
        return Route.objects.get(name=name).learned


def expected(*samples):
    return {tier: round(tilt, 2) for tier, tilt in learned_from(samples).items()}


def test_a_route_learns_what_is_said_of_each_tier(owner):
    for _ in range(5):
        answered(owner, rating=-1)
    answered(owner, tier="medium", rating=1)
    answered(owner, tier="medium", regenerated=True)
    answered(owner, route="other", tier="complex", score=0.25)
    assert learn(owner.tenant) == 2
    assert learned(owner) == expected(
        *[Sample("simple", -1)] * 5, Sample("medium", 1), Sample("medium", regenerated=True)
    )
    assert learned(owner)["simple"] > 0
    assert learned(owner, "other") == expected(Sample("complex", -0.5))
    assert learned(owner, "plain") == {}


def test_learning_again_changes_nothing_and_no_process_loads_anything(owner):
    answered(owner, rating=-1)
    assert learn(owner.tenant) == 1
    version = load_identity(owner.tenant.id).version
    assert learn(owner.tenant) == 0
    assert load_identity(owner.tenant.id).version == version
    answered(owner, rating=-1)
    assert learn(owner.tenant) == 1
    assert load_identity(owner.tenant.id).version > version


@pytest.mark.parametrize(
    "other",
    [{"route": "plain", "strategy": "priority"}, {"tier": None}, {"tier": "hopeless"}, {"route": "gone"}],
)
def test_what_no_tier_was_found_for_teaches_nothing(owner, other):
    answered(owner, rating=-1, **other)
    assert learn(owner.tenant) == 0
    assert learned(owner) == {}


def test_the_newest_count_and_what_is_old_does_not(owner):
    answered(owner, tier="medium", rating=-1)
    with tenant_scope(owner.tenant):
        old = id_made_at(utc_now() - LEARNT_FROM - timedelta(hours=1))
        Feedback.objects.update(id=old)
    assert learn(owner.tenant) == 0
    answered(owner, tier="medium", rating=-1)
    answered(owner, rating=-1)
    assert learn(owner.tenant, most=1) == 1
    assert learned(owner) == expected(Sample("simple", -1))
    assert learn(owner.tenant) == 1
    assert learned(owner) == expected(Sample("simple", -1), Sample("medium", -1))


def test_what_is_said_at_globex_teaches_acme_nothing(owner, make_tenant):
    other = make_tenant("globex")
    create_route(owner=other.tenant, name="clever", targets=["demo/small"], strategy="auto")
    answered(other, rating=-1)
    assert learn(owner.tenant) == 0
    assert learn(other.tenant) == 1
    assert learned(owner) == {}


@contextmanager
def without_feedback_table(tenant):
    rename = sql.SQL("ALTER TABLE {}.{} RENAME TO {}")
    there, away = sql.Identifier("chat_feedback"), sql.Identifier("chat_feedback_away")
    for old, new in ((there, away), (away, there)):
        with platform_scope(), owner_rights(), connection.cursor() as cursor:
            cursor.execute(rename.format(sql.Identifier(tenant.schema_name), old, new))
        if new is away:
            yield


def test_one_tenants_trouble_does_not_keep_the_others_from_learning(make_tenant):
    broken = make_tenant("broken")
    create_route(owner=broken.tenant, name="clever", targets=["demo/small"], strategy="auto")
    later = make_tenant("later")
    create_route(owner=later.tenant, name="clever", targets=["demo/small"], strategy="auto")
    answered(later, rating=-1)
    with without_feedback_table(broken.tenant):
        with pytest.raises(DatabaseError):
            learn(broken.tenant)
        learn_from_feedback()
    assert learned(later) == expected(Sample("simple", -1))
