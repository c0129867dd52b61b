"""Looking at tenants' own providers: each in its own interval, none twice, and never all at once."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from providers import checks, due, tasks
from providers.actions.credentials import set_credential
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.client import probe
from providers.tests.listing_vendor import vendor
from tenants.config_version import redis_client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_due():
    redis_client().delete(due.DUE, due.SWEEP)
    yield
    redis_client().delete(due.DUE, due.SWEEP)


@pytest.fixture
def tenant(make_tenant):
    return make_tenant("watched").tenant


def own(tenant, name, url="http://127.0.0.1:9/v1", **fields):
    return create_provider(owner=tenant, name=name, base_url=url, **fields)


def sweep_all(now):
    """Every tenant that there is, in as many turns as it takes."""
    while due.sweep(now) == due.TENANTS_A_TURN:
        continue


def planned(tenant):
    """When each provider of the tenant is to be looked at."""
    found: Any = redis_client().zrange(due.DUE, 0, -1, withscores=True)
    members = {due.member_of(member.decode()): score for member, score in found}
    return {provider: score for (owner, provider), score in members.items() if owner == tenant.id}


def turn(tenant, *providers):
    """Has these looked at now, and nothing else: the sweep is at its end."""
    redis_client().delete(due.DUE)
    redis_client().set(due.SWEEP, str(UUID(int=2**128 - 1)))
    redis_client().zadd(due.DUE, {due.name_of(tenant.id, each): 0 for each in providers})
    return tasks.check_tenant_providers(jitter=0)


def test_new_providers_are_spread_over_their_interval_and_planned_once(tenant):
    now = time.time()
    made = [own(tenant, f"p{number}", health_interval_seconds=600) for number in range(20)]
    off = own(tenant, "off", enabled=False)
    redis_client().delete(due.DUE)
    sweep_all(now)
    first = planned(tenant)
    assert first.keys() == set(made)
    assert off not in first
    assert all(now <= at <= now + 600 for at in first.values())
    assert max(first.values()) - min(first.values()) > 100
    sweep_all(now + 60)
    assert planned(tenant) == first


def test_a_provider_is_looked_at_soon_after_it_was_made(tenant):
    began = time.time()
    made = own(tenant, "new", health_interval_seconds=86_400)
    create_provider(owner=None, name=f"platforms-{made.hex[:20]}", base_url="http://127.0.0.1:9/v1", enabled=False)
    ((provider, at),) = planned(tenant).items()
    assert provider == made
    assert began <= at <= time.time() + due.SECONDS_TO_FIRST_LOOK
    assert len(redis_client().zrange(due.DUE, 0, -1)) == 1


def test_a_sweep_goes_on_where_the_last_ended(tenant, make_tenant, monkeypatch):
    monkeypatch.setattr(due, "TENANTS_A_TURN", 1)
    other = make_tenant("later").tenant
    redis_client().set(due.SWEEP, str(tenant.id))
    mine, theirs = own(tenant, "mine"), own(other, "theirs")
    redis_client().delete(due.DUE)
    assert due.sweep(0.0) == 1
    assert (planned(tenant), planned(other).keys()) == ({}, {theirs})
    assert due.sweep(0.0) == 0
    redis_client().set(due.SWEEP, str(UUID(int=tenant.id.int - 1)))
    due.sweep(0.0)
    assert planned(tenant).keys() == {mine}


def test_what_is_due_is_taken_once_and_comes_back_when_its_taker_died(tenant):
    late, later, early = (own(tenant, name) for name in ("late", "later", "early"))
    redis_client().delete(due.DUE)
    scores = {late: 10, later: 20, early: 1_000}
    redis_client().zadd(due.DUE, {due.name_of(tenant.id, each): score for each, score in scores.items()})
    assert due.take(100, most=1) == [(tenant.id, late)]
    assert due.take(100, most=5) == [(tenant.id, later)]
    assert due.take(100, most=5) == []
    assert set(due.take(100 + due.SECONDS_TAKEN, most=5)) == {(tenant.id, late), (tenant.id, later)}


def test_the_next_look_is_about_an_interval_away(tenant):
    with vendor() as (url, _):
        made = own(tenant, "own", url, health_interval_seconds=300)
        began = time.time()
        assert turn(tenant, made) == 1
    assert 0.9 * 300 <= planned(tenant)[made] - began <= 1.1 * 300 + 10


def test_each_credential_is_tried_and_one_that_works_is_enough(tenant):
    with vendor(refused=["sk-old-one-000000"]) as (url, asked):
        made = own(tenant, "own", url)
        old = set_credential(owner=tenant, provider_id=made, label="old", secret="sk-old-one-000000")
        new = set_credential(owner=tenant, provider_id=made, label="new", secret="sk-new-one-000000")
        turn(tenant, made)
    ((check,),) = checks.recent([(tenant, made)])
    assert check.error == ""
    assert {each.id: each.error for each in check.credentials} == {old: "credential_refused", new: ""}
    assert sorted(asked) == [("/v1/models", "Bearer sk-new-one-000000"), ("/v1/models", "Bearer sk-old-one-000000")]
    kept: Any = redis_client().lrange(checks.key_of(tenant, made), 0, -1)
    assert b"sk-" not in b"".join(kept)


@pytest.mark.parametrize(
    ("status", "error"), [(404, ""), (403, "credential_refused"), (502, "server_error"), (None, "timeout")]
)
def test_what_an_answer_means(tenant, monkeypatch, status, error):
    monkeypatch.setattr(probe, "DEADLINE_SECONDS", 0.3 if status is None else 5.0)
    with vendor(status) as (url, _):
        made = own(tenant, "own", url)
        turn(tenant, made)
    ((check,),) = checks.recent([(tenant, made)])
    assert check.error == error


def test_what_was_removed_or_switched_off_is_planned_no_more(tenant):
    with vendor() as (url, asked):
        gone, off, there = (own(tenant, name, url) for name in ("gone", "off", "there"))
        delete_provider(owner=tenant, provider_id=gone)
        change_provider(owner=tenant, provider_id=off, enabled=False)
        assert turn(tenant, gone, off, there) == 1
    assert planned(tenant).keys() == {there}
    assert len(asked) == 1


def test_what_there_was_no_time_for_is_due_again_soon(tenant, monkeypatch):
    monkeypatch.setattr(tasks, "SECONDS_TO_LOOK", 0.3)
    with vendor(None) as (slow, _), vendor() as (quick, _):
        stuck, fine = own(tenant, "stuck", slow), own(tenant, "fine", quick)
        began = time.time()
        assert turn(tenant, stuck, fine) == 1
    assert checks.recent([(tenant, stuck)]) == [()]
    assert planned(tenant)[stuck] - began < due.SECONDS_TAKEN + 10


def test_the_checks_that_are_kept_are_bounded_and_the_latest(tenant):
    made, at = own(tenant, "own"), datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(checks.MOST_KEPT + 5):
        checks.keep(tenant, {made: checks.Check(at + timedelta(minutes=number), float(number), "")})
    (kept,) = checks.recent([(tenant, made)])
    assert (len(kept), kept[0].latency_ms, kept[-1].latency_ms) == (checks.MOST_KEPT, checks.MOST_KEPT + 4.0, 5.0)
    assert 0 < redis_client().ttl(checks.key_of(tenant, made)) <= checks.SECONDS_KEPT


def test_a_look_is_believed_for_three_intervals():
    at = datetime(2026, 11, 1, tzinfo=UTC)
    until = at + timedelta(seconds=3 * 60 + checks.SLACK_SECONDS)
    assert checks.status_of("", at, now=until, interval=60) == "healthy"
    assert checks.status_of("timeout", at, now=until, interval=60) == "failing"
    assert checks.status_of("", at, now=until + timedelta(seconds=1), interval=60) == "unknown"
