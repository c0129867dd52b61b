"""Loaded by pytest before Django: real services, a database of this run's own, and secrets.

TEST_DB_SUFFIX names the database, so that several runs can share the servers. Where pytest-xdist spreads a run over
processes, each of them has databases of its own, and so have the products that it starts.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from orchestrator_site.embedded.testing import ensure_test_services
from orchestrator_site.tests.own_database import FIRST_REDIS_DATABASE, with_path

ROOT = Path(__file__).resolve().parents[2]
RUN = os.environ.get("TEST_DB_SUFFIX", "main")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
SUFFIX = f"{RUN}_{WORKER}" if WORKER else RUN
DATABASE = f"test_orchestrator_{SUFFIX}"
TEMPLATE = "test_orchestrator_as_migrated"


def redis_database() -> int:
    """Those of one run's workers follow each other, so that no two share one."""
    first = int(hashlib.sha256(RUN.encode()).hexdigest(), 16)
    return (first + int(WORKER.removeprefix("gw") or 0)) % FIRST_REDIS_DATABASE


addresses = ensure_test_services()
os.environ.update(
    DATABASE_URL=with_path(addresses.database_url, DATABASE),
    REDIS_URL=with_path(addresses.redis_url, str(redis_database())),
    TEST_DB_SUFFIX=SUFFIX,
    SECRET_KEY="test-only-secret-key-0123456789-abcdefghij",
    API_KEY_PEPPER="test-only-pepper-9876543210-abcdefghijklm",
    ENCRYPTION_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    ORCHESTRATOR_ENV="local",
    LOG_FORMAT="console",
    CONNECTION_POOL_SIZE="4",
)


def migrations_fingerprint() -> str:
    """Changes whenever a database made before may no longer fit."""
    digest = hashlib.sha256()
    for path in (
        sorted(ROOT.glob("*/migrations/*.py"))
        + sorted(ROOT.glob("tenants/**/*.sql"))
        + sorted(ROOT.glob("tenants/*.py"))
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def prepare_database() -> None:
    """Copies the migrated database, unless a copy with the same migrations is there."""
    fingerprint = migrations_fingerprint()
    with psycopg.connect(addresses.database_url, autocommit=True, connect_timeout=10) as connection:
        # Several workers come at once; one migrates, and nobody copies what is not finished.
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [TEMPLATE])
        if comment_on(connection, TEMPLATE) != fingerprint:
            make_database(connection, TEMPLATE, "CREATE DATABASE {}")
            migrate(TEMPLATE)
            note(connection, TEMPLATE, fingerprint)
        if comment_on(connection, DATABASE) != fingerprint:
            make_database(connection, DATABASE, f"CREATE DATABASE {{}} TEMPLATE {TEMPLATE}")
            note(connection, DATABASE, fingerprint)


def comment_on(connection: psycopg.Connection[Any], database: str) -> str | None:
    """None when there is no such database, or nothing is said of it."""
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
    ).fetchone()
    return found and found[0]


def note(connection: psycopg.Connection[Any], database: str, fingerprint: str) -> None:
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
    connection.execute(statement.format(sql.Identifier(database), sql.Literal(fingerprint)))


def make_database(connection: psycopg.Connection[Any], database: str, statement: LiteralString) -> None:
    name = sql.Identifier(database)
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    connection.execute(sql.SQL(statement).format(name))


def migrate(database: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": with_path(addresses.database_url, database),
        "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.migration",
    }
    command = [sys.executable, "manage.py", "migrate_all"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=sys.stderr, timeout=300)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """Replaces pytest-django's own: migrations run as the owner, tests as the bound role."""
    with django_db_blocker.unblock():
        prepare_database()
