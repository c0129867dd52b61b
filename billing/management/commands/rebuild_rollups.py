"""Sum a stretch of the ledger anew."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.rollups.rolling import rebuild


class Command(BaseCommand):
    help = "Roll the ledger up again from one time to another, an hour in a transaction. Safe while requests are made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="since", required=True, metavar="TIME", help="ISO 8601, UTC without a zone.")
        parser.add_argument("--to", dest="until", metavar="TIME", help="Not included (default: now).")

    def handle(self, *args: Any, **options: Any) -> None:
        since = moment("--from", options["since"])
        until = datetime.now(UTC) if options["until"] is None else moment("--to", options["until"])
        if since >= until:
            raise CommandError("--from must be earlier than --to")
        rows = 0
        for rebuilt in rebuild(since=since, until=until):
            rows += rebuilt.rows
            done = 100 * (rebuilt.until - since) / (until - since)
            self.stdout.write(f"{rebuilt.until:%Y-%m-%d %H:%M} {min(100, done):5.1f}% {rows:>10} rows")
        self.stdout.write(f"{rows} rows rolled up. What has not been rolled up yet is the worker's.")


def moment(option: str, text: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option} {text} is not a time like 2026-11-21T08:00") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
