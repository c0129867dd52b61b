"""Each guard against reading another tenant's rows: the same probe finds some when the guard is gone, and none with it.

The probes look for Acme's rows on behalf of Globex.
"""

import asyncio
import random
from typing import cast as typed

import psycopg
import pytest
from django.db import DatabaseError
from django.db import connection as default_connection
from django_tenants.postgresql_backend import base as parent

from tenants import door
from tenants.actions.teams import add_to_team, create_team
from tenants.db_backend.base import DatabaseWrapper
from tenants.db_backend.reset import forget_tenant
from tenants.door import owner_rights, platform_scope, tenant_db, tenant_scope
from tenants.models import ApiKey, Team
from tenants.row_security import APP_ROLE, SYSTEM_ROLE

pytestmark = pytest.mark.django_db(transaction=True)

connection = typed(DatabaseWrapper, default_connection)

PROTECTED = {
    "tenants_tenant": "id",
    "tenants_domain": "tenant_id",
    "tenants_membership": "tenant_id",
    "tenants_team": "tenant_id",
    "tenants_teammember": "tenant_id",
    "tenants_apikey": "tenant_id",
}


@pytest.fixture
def acme(cast):
    return with_marked_table(cast.acme.tenant)


@pytest.fixture
def globex(cast):
    return with_marked_table(cast.globex.tenant)


def with_marked_table(tenant):
    """A table `mark` in the tenant's schema that says whose it is."""
    with platform_scope(), owner_rights(), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {tenant.schema_name}.mark AS SELECT %s::text AS owner", [tenant.slug]
        )
        cursor.execute(f"GRANT SELECT ON {tenant.schema_name}.mark TO {APP_ROLE}")
    return tenant


@pytest.fixture
def pool_of_one():
    """`pool_of_one(reset)`: from here on Django's pool has one connection, and this reset callback."""
    options = connection.settings_dict["OPTIONS"]
    before = options["pool"]

    def install(reset):
        connection.close()
        connection.close_pool()
        options["pool"] = {**before, "min_size": 1, "max_size": 1, "reset": reset}

    yield install
    connection.close()
    connection.close_pool()
    options["pool"] = before


def reset_nothing(_):
    """What a pool without the guard does."""


def marks():
    """What `SELECT … FROM mark` answers on Django's connection as it stands, or nothing when it is refused."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT owner FROM mark")
            return [owner for (owner,) in cursor.fetchall()]
    except DatabaseError:
        return []


@pytest.fixture
def failing_sets(monkeypatch):
    """The server refuses every SET of a search path."""
    real = psycopg.Cursor.execute

    def execute(cursor, query, *args, **kwargs):
        refused = isinstance(query, str) and query.startswith("SET") and "search_path" in query
        return real(cursor, "SELECT 1/0", **kwargs) if refused else real(cursor, query, *args, **kwargs)

    def start():
        monkeypatch.setattr(psycopg.Cursor, "execute", execute)

    return start


@pytest.mark.parametrize("guarded", [True, False])
def test_backend_raises_when_the_search_path_cannot_be_set(acme, globex, failing_sets, monkeypatch, guarded):
    connection.ensure_connection()
    connection.connection.execute(f"SET search_path = {acme.schema_name}")
    if not guarded:
        monkeypatch.setattr(DatabaseWrapper, "_handle_search_path", parent.DatabaseWrapper._handle_search_path)
    failing_sets()
    try:
        connection.set_schema(globex.schema_name)
        found = marks()
    finally:
        connection.set_schema_to_public()
        connection.close()
    assert found == ([] if guarded else [acme.slug])


@pytest.mark.parametrize("guarded", [True, False])
def test_pool_forgets_the_search_path(acme, pool_of_one, guarded):
    pool_of_one(forget_tenant if guarded else reset_nothing)
    connection.ensure_connection()
    connection.connection.execute(f"SET search_path = {acme.schema_name}")
    connection.close()
    connection.ensure_connection()
    try:
        found = connection.connection.execute("SELECT owner FROM mark").fetchall()
    except psycopg.errors.UndefinedTable:
        found = []
    assert found == ([] if guarded else [(acme.slug,)])


@pytest.mark.parametrize("guarded", [True, False])
def test_pool_forgets_the_tenant_of_row_security(acme, pool_of_one, guarded):
    pool_of_one(forget_tenant if guarded else reset_nothing)
    connection.ensure_connection()
    connection.connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(acme.id)])
    connection.close()
    found = set(ApiKey.objects.values_list("tenant_id", flat=True))
    assert found == (set() if guarded else {acme.id})


@pytest.mark.parametrize("guarded", [True, False])
def test_pool_gives_the_bound_role_back(acme, pool_of_one, guarded):
    pool_of_one(forget_tenant if guarded else reset_nothing)
    connection.ensure_connection()
    connection.connection.execute(f"SET ROLE {SYSTEM_ROLE}")
    connection.close()
    assert ApiKey.objects.filter(tenant_id=acme.id).exists() is not guarded


def test_a_connection_that_cannot_forget_is_not_used_again(pool_of_one):
    def fail(_):
        raise RuntimeError("no")

    pool_of_one(fail)
    connection.ensure_connection()
    first = connection.connection.info.backend_pid
    connection.close()
    connection.ensure_connection()
    assert connection.connection.info.backend_pid != first


def test_a_connection_the_server_ended_is_replaced_before_it_is_used(acme, pool_of_one):
    pool_of_one(forget_tenant)
    with tenant_scope(acme):
        pid = connection.connection.info.backend_pid
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with tenant_scope(acme):
        assert marks() == [acme.slug]
        assert connection.connection.info.backend_pid != pid


@pytest.fixture
def unreliable_binding(monkeypatch):
    """The server refuses one in five of the statements that bind a connection to a tenant."""
    real = psycopg.Cursor.execute
    chance = random.Random(2)

    def execute(cursor, query, *args, **kwargs):
        binds = isinstance(query, str) and ("search_path" in query or "set_config" in query)
        if binds and chance.random() < 0.2:
            return real(cursor, "SELECT 1/0", **kwargs)
        return real(cursor, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute)


def mark_and_keys():
    with connection.cursor() as cursor:
        cursor.execute("SELECT owner FROM mark")
        return cursor.fetchall(), set(ApiKey.objects.values_list("tenant_id", flat=True))


async def test_two_tenants_on_one_unreliable_connection_never_meet(acme, globex, pool_of_one, unreliable_binding):
    await asyncio.to_thread(pool_of_one, forget_tenant)
    asked = [acme, globex] * 100
    answers = await asyncio.gather(*(tenant_db(tenant, mark_and_keys) for tenant in asked), return_exceptions=True)
    answered = [(tenant, each) for tenant, each in zip(asked, answers, strict=True) if isinstance(each, tuple)]
    assert [each for each in answered if each[1] != ([(each[0].slug,)], {each[0].id})] == []
    assert 20 < len(answered) < len(asked)


@pytest.mark.parametrize("guarded", [True, False])
def test_path_of_a_scope_ends_with_it(acme, pool_of_one, monkeypatch, guarded):
    pool_of_one(reset_nothing)
    if not guarded:
        monkeypatch.setattr(
            DatabaseWrapper, "_search_path_statement", lambda self: f"SET search_path = {self.schema_name}, public"
        )
    connection.ensure_connection()
    with tenant_scope(acme):
        assert marks() == [acme.slug]
    try:
        found = connection.connection.execute("SELECT owner FROM mark").fetchall()
    except psycopg.errors.UndefinedTable:
        found = []
    assert found == ([] if guarded else [(acme.slug,)])


@pytest.mark.parametrize("guarded", [True, False])
def test_door_binds_the_tenant_for_row_security(acme, globex, monkeypatch, guarded):
    connection.ensure_connection()
    connection.connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(acme.id)])
    if not guarded:
        monkeypatch.setattr(door, "_set_local", lambda values: None)
    with tenant_scope(globex):
        found = set(ApiKey.objects.values_list("tenant_id", flat=True))
    connection.close()
    assert found == ({globex.id} if guarded else {acme.id})


@pytest.mark.parametrize("guarded", [True, False])
def test_a_tenants_scope_has_the_bound_role(acme, globex, monkeypatch, guarded):
    if not guarded:
        monkeypatch.setattr(door, "APP_ROLE", SYSTEM_ROLE)
    with tenant_scope(globex):
        assert ApiKey.objects.filter(tenant_id=acme.id).exists() is not guarded


@pytest.fixture
def owner_session():
    """The login role, as migrations use it; rolled back at the end."""
    with psycopg.connect(**connection.get_connection_params()) as session:
        yield session
        session.rollback()


@pytest.fixture
def full_tables(cast):
    """Acme has a row in every protected table."""
    with platform_scope():
        if not Team.objects.filter(tenant_id=cast.acme.tenant.id).exists():
            team = create_team(tenant=cast.acme.tenant, name="Core")
            add_to_team(tenant=cast.acme.tenant, team_id=team, user_id=cast.bob.id)


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("table", PROTECTED)
def test_policies_bind_the_app_role(cast, full_tables, owner_session, table, guarded):
    if not guarded:
        owner_session.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    owner_session.execute(f"SET LOCAL ROLE {APP_ROLE}")
    owner_session.execute("SELECT set_config('app.tenant_id', %s, true)", [str(cast.globex.tenant.id)])
    foreign = owner_session.execute(
        f"SELECT count(*) FROM {table} WHERE {PROTECTED[table]} = %s", [cast.acme.tenant.id]
    ).fetchone()[0]
    assert (foreign == 0) is guarded


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("table", PROTECTED)
def test_policies_bind_the_owner_too(cast, full_tables, owner_session, table, guarded):
    if not guarded:
        owner_session.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    found = owner_session.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert (found == 0) is guarded


def test_no_tenant_means_no_rows(cast, full_tables):
    with connection.cursor() as cursor:
        for table in PROTECTED:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table


def test_a_row_cannot_be_written_for_another_tenant(acme, globex):
    with pytest.raises(DatabaseError, match="row-level security"), tenant_scope(globex):
        ApiKey.objects.create(tenant_id=acme.id, name="planted", key_id="planted", digest=b"", scopes=[])


def test_tests_run_as_no_superuser(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname IN (session_user, current_user)"
        )
        roles = cursor.fetchall()
    assert {name for name, _, _ in roles} > {APP_ROLE}
    assert not [name for name, is_super, bypasses in roles if is_super or bypasses]


def execute_for(tenant, statement):
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_app_role_cannot_reach_the_platforms_tables(cast):
    for table in ("providers_provider", "providers_credential", "django_admin_log"):
        with pytest.raises(DatabaseError, match="permission denied"):
            execute_for(cast.acme.tenant, f"SELECT count(*) FROM public.{table}")


def test_a_tenant_cannot_lift_its_own_suspension(cast):
    with pytest.raises(DatabaseError, match="permission denied"):
        execute_for(cast.acme.tenant, "UPDATE tenants_tenant SET state = 'active'")
