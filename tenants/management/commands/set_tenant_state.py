"""Move a tenant between active, read_only and suspended."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tenants.actions.tenants import set_tenant_state
from tenants.command_errors import tenant_named, told_plainly
from tenants.states import TenantState


class Command(BaseCommand):
    help = "Moves a tenant to another state; effective at once in every process."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="The tenant's slug.")
        parser.add_argument("state", help=f"One of {', '.join(TenantState)}.")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        with told_plainly():
            set_tenant_state(tenant=tenant, state=options["state"])
        self.stdout.write(self.style.SUCCESS(f"{tenant.slug} is {options['state']} now."))
