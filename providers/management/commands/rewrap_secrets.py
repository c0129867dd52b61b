"""`manage.py rewrap_secrets`: move every stored secret to the newest ENCRYPTION_KEY, while everything runs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.actions.rewrapping import BATCH, RewrapBatch, batches
from providers.scope import Owner
from tenants.command_errors import tenant_named
from tenants.snapshots import list_tenants


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret under the first ENCRYPTION_KEY. Then the old keys can be taken away. "
        "Restart every process with the new key in front before; break it off and run it again at any time."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", help="The slug of the only tenant to do it for.")
        parser.add_argument("--batch", type=int, default=BATCH, help="Secrets in one transaction.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch: at least 1.")
        owners: list[Owner] = [tenant_named(options["tenant"])] if options["tenant"] else [None, *list_tenants()]
        moved, unreadable = 0, []
        for number, owner in enumerate(owners, 1):
            name, count = owner.slug if owner else "platform", 0
            for rewrap_batch in batches:
                found, failures = self.rewrap(rewrap_batch, owner, options["batch"])
                count += found
                unreadable += [f"{name}: {failure}" for failure in failures]
            moved += count
            self.stdout.write(f"[{number}/{len(owners)}] {name}: {count} moved, {moved} in all.")
        self.stdout.write(f"Moved {moved} secrets to the newest key.")
        if unreadable:
            raise CommandError("Keep the old keys: " + "; ".join(unreadable))

    def rewrap(self, rewrap_batch: RewrapBatch, owner: Owner, size: int) -> tuple[int, list[str]]:
        moved, after = 0, None
        failures: list[str] = []
        while True:
            batch = rewrap_batch(owner=owner, after=after, size=size)
            moved += batch.moved
            failures += batch.unreadable
            if batch.last is None:
                return moved, failures
            after = batch.last
