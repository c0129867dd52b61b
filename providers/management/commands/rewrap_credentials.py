"""`manage.py rewrap_credentials`: move every provider secret to the newest ENCRYPTION_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.crypto import SecretUnreadable
from providers.actions.credentials import rewrap_credentials
from tenants.snapshots import list_tenants


class Command(BaseCommand):
    help = "Encrypt every stored provider secret under the first ENCRYPTION_KEY. Then the old keys can be taken away."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        moved, unreadable = 0, []
        for owner in (None, *list_tenants()):
            try:
                moved += rewrap_credentials(owner=owner)
            except SecretUnreadable as error:
                unreadable.append(f"{owner.slug if owner else 'platform'}: {error}")
        self.stdout.write(f"Moved {moved} secrets to the newest key.")
        if unreadable:
            raise CommandError("Keep the old keys: " + "; ".join(unreadable))
