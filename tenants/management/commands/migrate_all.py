"""Bring the public schema and every tenant's schema up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from tenants.door import platform_scope
from tenants.grants import grant_public_schema, grant_tenant_schema
from tenants.migration_state import is_up_to_date
from tenants.models import Tenant

LOCK = 0x0C0_51A7


class Command(BaseCommand):
    help = "Migrates the public schema, then the schema of every tenant. One run at a time."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with only_one(self.stdout.write):
            self.migrate("public")
            grant_public_schema()
            with platform_scope():
                schemas = list(Tenant.objects.order_by("created_at").values_list("schema_name", flat=True))
            for number, schema in enumerate(schemas, start=1):
                self.migrate(schema, f"{number}/{len(schemas)} ")
                grant_tenant_schema(schema)
        self.stdout.write(self.style.SUCCESS(f"The public schema and {len(schemas)} tenant schemas are up to date."))

    def migrate(self, schema: str, progress: str = "") -> None:
        if is_up_to_date(schema):
            self.stdout.write(f"{progress}{schema}: nothing to do")
            return
        self.stdout.write(f"{progress}{schema}: migrating")
        call_command(
            "migrate_schemas", schema_name=schema, executor="standard", interactive=False, verbosity=0, skip_checks=True
        )


@contextmanager
def only_one(say: Any) -> Iterator[None]:
    """Holds an advisory lock of this database, on a connection of its own: the executor closes Django's."""
    parameters = connection.get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as guard:
        row = guard.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if row is None or not row[0]:
            say("Another migration is running; waiting for it.")
            guard.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield
