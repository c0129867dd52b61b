"""The door: what a scope sees, how it ends, and how asynchronous code goes through."""

import asyncio
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from common.errors import Unavailable
from tenants import door
from tenants.database_threads import WAITING_PER_THREAD, DatabaseThreads
from tenants.door import (
    NestedDoor,
    in_open_scope,
    in_platform_scope,
    owner_rights,
    platform_db,
    platform_scope,
    tenant_db,
    tenant_scope,
)
from tenants.models import Plan, Tenant

pytestmark = pytest.mark.django_db(transaction=True)

STATE = """
    SELECT current_user::text, current_setting('search_path'), coalesce(current_setting('app.tenant_id', true), ''),
           current_setting('statement_timeout')
"""
OUTSIDE = ("orchestrator_app", "public", "", "0")


def state():
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return cursor.fetchone()


def inside(tenant, timeout="30s"):
    return ("orchestrator_app", f"{tenant.schema_name}, public", str(tenant.id), timeout)


def names():
    return sorted(Tenant.objects.values_list("slug", flat=True))


def test_each_scope_has_its_role_path_and_tenant(cast):
    acme = cast.acme.tenant
    assert state() == OUTSIDE
    with tenant_scope(acme):
        assert state() == inside(acme)
        assert names() == [acme.slug]
    assert state() == OUTSIDE
    with platform_scope(deadline=2):
        assert state() == ("orchestrator_system", "public", "", "2s")
        assert {acme.slug, cast.globex.tenant.slug} <= set(names())
    assert state() == OUTSIDE


def make_plan_and_fail():
    Plan.objects.create(name="gone")
    raise ZeroDivisionError


def test_an_error_inside_a_scope_undoes_it(cast):
    with pytest.raises(ZeroDivisionError), platform_scope():
        make_plan_and_fail()
    assert state() == OUTSIDE
    with platform_scope():
        assert not Plan.objects.filter(name="gone").exists()


def test_a_failed_savepoint_inside_a_scope_leaves_it_usable(cast):
    acme = cast.acme.tenant
    with tenant_scope(acme):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_session (session_key) VALUES ('x')")
        assert state() == inside(acme)
        assert names() == [acme.slug]


@pytest.mark.parametrize("outer", ["tenant", "platform"])
@pytest.mark.parametrize("inner", ["tenant", "platform"])
def test_scopes_do_not_nest(cast, outer, inner):
    scopes = {"tenant": lambda: tenant_scope(cast.acme.tenant), "platform": platform_scope}
    with scopes[outer](), pytest.raises(NestedDoor), scopes[inner]():
        pass
    assert state() == OUTSIDE


def test_asynchronous_doors_do_not_open_inside_a_scope(cast):
    async def try_both():
        with pytest.raises(NestedDoor):
            await tenant_db(cast.acme.tenant, names)
        with pytest.raises(NestedDoor):
            await platform_db(names)

    with platform_scope():
        asyncio.run(try_both())


def test_a_scope_is_a_transaction_of_its_own(cast):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"), platform_scope():
        pass
    assert state() == OUTSIDE


def test_a_scope_gives_back_the_connection_it_took(cast):
    connection.close()
    with platform_scope():
        assert connection.connection is not None
    assert connection.connection is None
    connection.ensure_connection()
    with platform_scope():
        pass
    assert connection.connection is not None


def test_owner_rights_end_with_their_block_and_need_the_platform(cast):
    with platform_scope():
        with owner_rights():
            assert state()[0] == connection.settings_dict["USER"]
        assert state()[0] == "orchestrator_system"
    with pytest.raises(NestedDoor), tenant_scope(cast.acme.tenant), owner_rights():
        pass


def test_joining_a_scope(cast):
    whose = in_platform_scope(lambda: state()[0])
    assert whose() == "orchestrator_system"
    with platform_scope():
        assert whose() == "orchestrator_system"
    with tenant_scope(cast.acme.tenant):
        with pytest.raises(NestedDoor):
            whose()
        assert in_open_scope(names)() == [cast.acme.tenant.slug]
    assert cast.acme.tenant.slug in in_open_scope(names)()


async def test_asynchronous_code_goes_through_threads(cast):
    acme, globex = cast.acme.tenant, cast.globex.tenant
    answers = await asyncio.gather(*(tenant_db(tenant, names) for tenant in [acme, globex] * 20))
    assert answers == [[acme.slug], [globex.slug]] * 20
    assert (await platform_db(state))[0] == "orchestrator_system"


async def test_a_late_answer_is_given_up(cast, monkeypatch):
    monkeypatch.setattr(door, "DEADLINE_SECONDS", 0.2)
    ended = threading.Event()

    def sleep():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(60)")
        finally:
            ended.set()

    with pytest.raises(Unavailable):
        await tenant_db(cast.acme.tenant, sleep)
    # The statement timeout frees the thread, too.
    assert await asyncio.to_thread(ended.wait, 10)


async def test_a_statement_that_its_timeout_ends_first_is_given_up_alike():
    def cut(_):
        with platform_scope(deadline=0.1), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    with pytest.raises(Unavailable):
        await DatabaseThreads(1).run(cut, 20)


async def test_waiting_calls_are_bounded():
    threads = DatabaseThreads(1)
    go = threading.Event()
    calls = [asyncio.create_task(threads.run(lambda _: go.wait(10), 20)) for _ in range(1 + WAITING_PER_THREAD)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await threads.run(lambda _: None, 20)
    go.set()
    assert all(await asyncio.gather(*calls))
    assert await threads.run(lambda _: "free again", 20) == "free again"


@pytest.mark.django_db
def test_inside_a_test_transaction_a_scope_leaves_nothing_behind(cast):
    assert connection.in_atomic_block
    with tenant_scope(cast.acme.tenant):
        assert names() == [cast.acme.tenant.slug]
    assert state() == OUTSIDE
