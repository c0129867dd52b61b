"""Prove that every dispatched attempt has exactly one settlement in force."""

import dataclasses
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.ledger.reaper import STALE_AFTER_SECONDS
from billing.ledger.verification import verify


class Command(BaseCommand):
    help = "Prove that every dispatched attempt has exactly one settlement in force; exits 1 when one has not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", metavar="TIME", help="ISO 8601, UTC unless it says otherwise (default: 31 days ago)."
        )
        parser.add_argument(
            "--stale-after",
            type=float,
            default=STALE_AFTER_SECONDS,
            metavar="SECONDS",
            help="Take a process for dead after this long without a heartbeat (default: %(default)s).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify(since=moment(options["since"]), stale_after=options["stale_after"])
        for each in dataclasses.fields(verdict):
            self.stdout.write(f"{each.name.replace('_', ' '):<24}{getattr(verdict, each.name):>12}")
        if not verdict.kept:
            raise CommandError("The ledger does not hold its promise.")
        self.stdout.write("Every dispatched attempt has exactly one settlement in force.")


def moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC) - timedelta(days=31)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--since {text} is not a time like 2026-11-21T08:00") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
