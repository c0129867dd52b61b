"""Make a tenant: its row, its schema, its first host."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tenants.actions.tenants import create_tenant
from tenants.command_errors import told_plainly


class Command(BaseCommand):
    help = "Makes a tenant with its schema and its first host (by default SLUG.BASE_DOMAIN)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="Lower-case letters, digits and hyphens; part of the host and schema name.")
        parser.add_argument("--name", help="As people see it; by default the slug.")
        parser.add_argument("--host", help="The first host, instead of SLUG.BASE_DOMAIN.")
        parser.add_argument("--time-zone", default="UTC", help="IANA name, such as Europe/Berlin.")
        parser.add_argument("--plan", help="The name of a plan.")
        parser.add_argument("--default-model", default="", help='What "model": "default" means for this tenant.')

    def handle(self, *args: Any, **options: Any) -> None:
        with told_plainly():
            tenant = create_tenant(
                slug=options["slug"],
                name=options["name"] or options["slug"],
                host=options["host"],
                time_zone=options["time_zone"],
                plan=options["plan"],
                default_model=options["default_model"],
            )
        self.stdout.write(
            self.style.SUCCESS(f"Made tenant {tenant.slug} ({tenant.id}) with schema {tenant.schema_name}.")
        )
        self.stdout.write(f"Next: manage.py create_api_key {tenant.slug} --name first")
