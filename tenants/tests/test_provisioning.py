"""A replayed schema is what the migrations would have made."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tenants import snapshots
from tenants.actions.tenants import create_tenant
from tenants.door import owner_rights, platform_scope, tenant_scope
from tenants.migration_state import applied_migrations, is_up_to_date
from tenants.provisioning import replay
from tenants.provisioning.dump import HEADER, cleaned, find_pg_dump, run_pg_dump

pytestmark = pytest.mark.django_db(transaction=True)

# Everything about the tables of a schema that could differ, with the schema's own name taken out.
SHAPE = """
    SELECT 'column', table_name, column_name, ordinal_position::text, data_type,
           coalesce(character_maximum_length, 0)::text, is_nullable,
           coalesce(replace(column_default, %(schema)s, ''), ''), is_identity
    FROM information_schema.columns WHERE table_schema = %(schema)s
    UNION ALL
    SELECT 'index', tablename, indexname, replace(indexdef, %(schema)s, ''), '', '', '', '', ''
    FROM pg_indexes WHERE schemaname = %(schema)s
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, replace(pg_get_constraintdef(oid), %(schema)s || '.', ''),
           condeferrable::text, condeferred::text, '', '', ''
    FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT 'sequence', sequencename, data_type::text, start_value::text, increment_by::text, cycle::text, '', '', ''
    FROM pg_sequences WHERE schemaname = %(schema)s
    UNION ALL
    SELECT 'migration', app, name, '', '', '', '', '', '' FROM {schema}.django_migrations
"""


def shape_of(schema):
    """As the owner, with this schema alone on the path, so that names print without it."""
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute(f"SET LOCAL search_path = {schema}")
        return set(session.execute(SHAPE.format(schema=schema), {"schema": schema}).fetchall())


def manage(*arguments):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.migration"}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    ).stdout


@pytest.fixture(scope="module")
def migrated_schema(django_db_setup):
    """A schema that had every migration."""
    name = "t_migrated_for_comparison"
    with psycopg.connect(**parameters(), autocommit=True) as owner:
        owner.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        owner.execute(f"CREATE SCHEMA {name}")
        manage("migrate_schemas", "--schema", name, "-v", "0", "--skip-checks")
        yield name
        owner.execute(f"DROP SCHEMA {name} CASCADE")


def parameters():
    database = settings.DATABASES["default"]
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return {name: database[key] for name, key in names.items()}


def test_a_replayed_schema_has_the_shape_of_a_migrated_one(make_tenant, migrated_schema):
    replayed = shape_of(make_tenant().tenant.schema_name)
    migrated = shape_of(migrated_schema)
    assert {kind for kind, *_ in replayed} == {"column", "index", "constraint", "sequence", "migration"}
    assert replayed - migrated == set()
    assert migrated - replayed == set()


def test_the_committed_dump_is_what_the_migrations_make(tmp_path, cast):
    fresh = tmp_path / "fresh.sql"
    manage("write_tenant_schema", "--output", str(fresh))
    assert fresh.read_text() == replay.DUMP.read_text(), "run `manage.py write_tenant_schema` and commit what it writes"


def test_a_replayed_schema_needs_no_migration(cast):
    schema = cast.acme.tenant.schema_name
    with platform_scope(), owner_rights():
        assert is_up_to_date(schema)
        assert applied_migrations(schema) == applied_migrations("public")
    assert f"{schema}: nothing to do" in manage("migrate_all")


def test_the_app_role_may_work_in_a_new_schema(make_tenant):
    tenant = make_tenant("fresh").tenant
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('probe', '1', now())"
            " RETURNING tableoid::regclass::text"
        )
        assert cursor.fetchone() == ("django_migrations",)
        cursor.execute("DELETE FROM django_migrations WHERE app = 'probe'")
        assert cursor.rowcount == 1


def test_a_schema_and_its_tenant_are_made_together_or_not_at_all(monkeypatch):
    def fail(schema_name):
        replay.make_schema(schema_name)
        raise ZeroDivisionError

    monkeypatch.setattr("tenants.actions.tenants.make_schema", fail)
    with pytest.raises(ZeroDivisionError):
        create_tenant(slug="half-made", name="Half made")
    assert snapshots.find_tenant("half-made") is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 't_half_made'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("name", ["public", "t_", "t_A", 't_a"; DROP', "t_" + "a" * 62, "pg_catalog"])
def test_only_names_of_tenant_schemas_are_replayed(name):
    with pytest.raises(ValueError, match="not the name"):
        replay.checked(name)


def test_noise_of_pg_dump_is_left_out():
    table = "CREATE TABLE a (\n    b integer\n);\n"
    session = "SET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
    dump = "--\n-- x\n\\restrict abc\n\n\n\n" + session + "\n" + table
    assert cleaned(dump) == table
    assert HEADER.startswith("--")


def test_pg_dump_is_found_and_fails_loudly(tmp_path):
    assert isinstance(find_pg_dump(), Path)
    broken = tmp_path / "pg_dump"
    broken.write_text("#!/bin/sh\necho no such server >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run_pg_dump(broken)
    assert "no such server" in failure.value.stderr
