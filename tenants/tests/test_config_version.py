"""A change reaches other processes: at commit, once, and only forward."""

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from tenants import config_version, snapshots
from tenants.actions.api_keys import create_api_key, revoke_api_key
from tenants.actions.plans import change_plan, create_plan
from tenants.actions.tenants import change_tenant, set_tenant_state
from tenants.config_version import CHANNEL, push, raise_platform_version, raise_version
from tenants.door import platform_scope, tenant_scope
from tenants.identity import PlanRecord, version_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def valkey():
    client = redis.Redis.from_url(settings.ENVIRONMENT.redis_url, decode_responses=True)
    yield client
    client.close()


@pytest.fixture
def announcements():
    """Call it for what was announced until now."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        session.execute(f"LISTEN {CHANNEL}")
        yield lambda: [note.payload for note in session.notifies(timeout=0.5)]


def version_of(tenant):
    return snapshots.versions_of([tenant.id]).tenants[tenant.id]


def test_a_version_is_pushed_and_announced_at_commit(make_tenant, valkey, announcements):
    tenant = make_tenant().tenant
    announcements()
    with platform_scope():
        version = raise_version(tenant.id)
        assert valkey.get(version_key(tenant.id)) == str(version - 1)
    assert valkey.get(version_key(tenant.id)) == str(version) == str(version_of(tenant))
    assert announcements() == [f"{tenant.id.hex}:{version}"]


def test_a_change_undone_is_not_told(make_tenant, valkey, announcements):
    tenant = make_tenant().tenant
    before = version_of(tenant)
    announcements()
    with pytest.raises(ZeroDivisionError), platform_scope():
        raise_version(tenant.id) / 0
    assert version_of(tenant) == before
    assert valkey.get(version_key(tenant.id)) == str(before)
    assert announcements() == []


def test_a_late_push_does_not_turn_back(make_tenant, valkey):
    key = version_key(make_tenant().tenant.id)
    push(key, 9)
    push(key, 10)
    push(key, 9)
    assert valkey.get(key) == "10"


def test_a_flushed_valkey_is_filled_again_by_the_next_change(make_tenant, valkey):
    tenant = make_tenant().tenant
    valkey.delete(version_key(tenant.id))
    with tenant_scope(tenant):
        version = raise_version(tenant.id)
    assert valkey.get(version_key(tenant.id)) == str(version)


def test_changes_go_through_while_valkey_is_away(make_tenant, monkeypatch, caplog):
    made = make_tenant()
    before = version_of(made.tenant)
    away = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2, password="hidden-password")
    monkeypatch.setattr(config_version, "redis_client", lambda: away)
    revoke_api_key(tenant=made.tenant, key_id=made.key_id)
    assert version_of(made.tenant) == before + 1
    assert "config version not pushed" in caplog.text
    assert "hidden-password" not in caplog.text


def test_a_tenant_raises_its_own_version_alone(cast, make_tenant):
    mine, other = make_tenant().tenant, make_tenant().tenant
    with tenant_scope(mine):
        raise_version(mine.id)
        with pytest.raises(LookupError), transaction.atomic():
            raise_version(other.id)
    assert version_of(other) == 2


def test_the_platforms_version_is_announced(announcements):
    announcements()
    with platform_scope():
        version = raise_platform_version()
    assert snapshots.versions_of([]).platform == version
    assert announcements() == [f"platform:{version}"]


def test_every_action_that_matters_to_the_gateway_raises_it(make_tenant):
    made = make_tenant()
    tenant = made.tenant
    plan = create_plan(name=f"Plan {tenant.slug}", requests_per_minute=5)
    seen = [version_of(tenant)]
    for change in (
        lambda: create_api_key(tenant=tenant, name="second"),
        lambda: revoke_api_key(tenant=tenant, key_id=made.key_id),
        lambda: set_tenant_state(tenant=tenant, state="read_only"),
        lambda: change_tenant(tenant=tenant, plan=f"Plan {tenant.slug}"),
        lambda: change_plan(plan_id=plan, name=f"Plan {tenant.slug}", requests_per_minute=6),
    ):
        change()
        seen.append(version_of(tenant))
    assert seen == list(range(seen[0], seen[0] + 6))
    assert snapshots.load_identity(tenant.id).plan == PlanRecord(f"Plan {tenant.slug}", 6)
