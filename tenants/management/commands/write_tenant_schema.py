"""Write the DDL dump that new tenants are made from; after every change to a tenant app's migrations."""

import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.provisioning.dump import describe_migrated_schema, find_pg_dump
from tenants.provisioning.replay import DUMP


class Command(BaseCommand):
    help = "Writes tenants/provisioning/tenant_schema.sql from the migrations. Needs a migrated database and pg_dump."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pg-dump", type=Path, help="pg_dump, at least as new as the server.")
        parser.add_argument("--output", type=Path, default=DUMP)

    def handle(self, *args: Any, **options: Any) -> None:
        pg_dump = options["pg_dump"] or find_pg_dump()
        if pg_dump is None:
            raise CommandError("There is no pg_dump here; name one with --pg-dump.")
        try:
            options["output"].write_text(describe_migrated_schema(pg_dump))
        except subprocess.CalledProcessError as error:
            raise CommandError(f"pg_dump failed: {error.stderr.strip()}") from error
        self.stdout.write(self.style.SUCCESS(f"Wrote {options['output']}."))
