"""Loaded by pytest before Django: real services, a database of this run's own, and secrets.

TEST_DB_SUFFIX names the database, so that several runs can share the servers.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from orchestrator_site.embedded.testing import ensure_test_services

ROOT = Path(__file__).resolve().parents[2]
SUFFIX = os.environ.get("TEST_DB_SUFFIX", "main")
DATABASE = f"test_orchestrator_{SUFFIX}"
REDIS_DATABASES = 16

addresses = ensure_test_services()
os.environ.update(
    DATABASE_URL=urlunsplit(urlsplit(addresses.database_url)._replace(path=f"/{DATABASE}")),
    REDIS_URL=urlunsplit(
        urlsplit(addresses.redis_url)._replace(
            path=f"/{int(hashlib.sha256(SUFFIX.encode()).hexdigest(), 16) % REDIS_DATABASES}"
        )
    ),
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
    """Make the database and migrate it, unless one with the same migrations is there."""
    fingerprint = migrations_fingerprint()
    with psycopg.connect(addresses.database_url, autocommit=True, connect_timeout=10) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
        if found is not None and found[0] == fingerprint:
            return
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.migration"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate_all"],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=sys.stderr,
            timeout=300,
        )
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(DATABASE), sql.Literal(fingerprint))
        )


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """Replaces pytest-django's own: migrations run as the owner, tests as the bound role."""
    with django_db_blocker.unblock():
        prepare_database()
