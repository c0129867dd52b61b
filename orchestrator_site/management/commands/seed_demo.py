"""Make the demonstration's tenants, people and keys, and write their secrets to a file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orchestrator_site.demo_tenants import seed
from orchestrator_site.whole_files import write_whole


class Command(BaseCommand):
    help = (
        "Two tenants with an owner, a member and an API key each, and an operator. Keeps what the file already holds."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, required=True, help="JSON file that only its owner may read.")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demonstration accounts do not belong in production (ORCHESTRATOR_ENV).")
        output: Path = options["output"]
        environment = settings.ENVIRONMENT
        made = seed(kept=read(output), host=environment.base_domain, port=environment.port)
        write_whole(output, json.dumps(made, indent=2, ensure_ascii=False) + "\n", mode=0o600)
        self.stdout.write(f"Demonstration data is in {output}.")


def read(path: Path) -> dict[str, Any]:
    """What an earlier run wrote; nothing where that is not there or not whole."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
