"""Make an API key; its text is shown this once."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.actions.api_keys import create_api_key
from tenants.actions.people import find_user
from tenants.command_errors import tenant_named, told_plainly
from tenants.scopes import DEFAULT_SCOPES, Scope


class Command(BaseCommand):
    help = "Makes an API key of a tenant and prints it; it cannot be shown again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="The tenant's slug.")
        parser.add_argument("--name", default="command line", help="What the key is for.")
        scopes = f"{', '.join(Scope)}; repeatable. Without any: {', '.join(sorted(DEFAULT_SCOPES))}."
        parser.add_argument("--scope", action="append", default=[], help=scopes)
        parser.add_argument("--expires-in-days", type=int)
        parser.add_argument("--requests-per-minute", type=int)
        allow = "A pattern of models and routes that it may ask for, such as openai/*; repeatable. Without any: all."
        parser.add_argument("--allow", action="append", default=[], help=allow)
        parser.add_argument("--user", help="E-mail of the person it belongs to.")
        parser.add_argument("--quiet", action="store_true", help="Print the key alone, for scripts.")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        days = options["expires_in_days"]
        with told_plainly():
            made = create_api_key(
                tenant=tenant,
                name=options["name"],
                scopes_granted=options["scope"],
                expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
                requests_per_minute=options["requests_per_minute"],
                allowed_models=options["allow"],
                created_by=person_named(options["user"]),
            )
        if options["quiet"]:
            self.stdout.write(made.text)
            return
        self.stdout.write(self.style.SUCCESS(f"Made a key of {tenant.slug}. This is the only time it is shown:"))
        self.stdout.write(made.text)
        self.stdout.write(f"To revoke it: manage.py revoke_api_key {tenant.slug} {made.key_id}")


def person_named(email: str | None) -> Any:
    if email is None:
        return None
    user_id = find_user(email)
    if user_id is None:
        raise CommandError(f"user: there is nobody with the address {email!r}.")
    return user_id
