"""Which migrations a schema has had."""

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg import sql


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Every migration in the code, as (app, name)."""
    return frozenset(MigrationLoader(None).disk_migrations)


def applied_migrations(schema_name: str) -> frozenset[tuple[str, str]]:
    """Every migration recorded in a schema; none when the schema has no such record."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f'"{schema_name}".django_migrations'])
        if cursor.fetchone() == (None,):
            return frozenset()
        cursor.execute(sql.SQL("SELECT app, name FROM {}.django_migrations").format(sql.Identifier(schema_name)))
        return frozenset(cursor.fetchall())


def is_up_to_date(schema_name: str) -> bool:
    return known_migrations() <= applied_migrations(schema_name)
