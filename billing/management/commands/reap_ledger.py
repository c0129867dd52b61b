"""Settle what dead processes left open."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from billing.ledger.reaper import STALE_AFTER_SECONDS, reap
from common.money import usd_from_nano


class Command(BaseCommand):
    help = "Settle the open intents of processes that ended or whose heartbeat stopped, flagged as estimated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--stale-after",
            type=float,
            default=STALE_AFTER_SECONDS,
            metavar="SECONDS",
            help="Take a process for dead after this long without a heartbeat (default: %(default)s).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        reaped = reap(stale_after=options["stale_after"])
        if reaped.busy:
            self.stdout.write("Another reaper is at work.")
            return
        self.stdout.write(
            f"{reaped.intents} open attempts settled for {reaped.processes} ended processes, "
            f"estimated cost {usd_from_nano(reaped.cost_nano):f} USD."
        )
