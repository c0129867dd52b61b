"""Write .env.example and docs/configuration.md from the fields of the environment."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orchestrator_site.settings.documentation import env_example, markdown


class Command(BaseCommand):
    help = (
        "Writes .env.example and docs/configuration.md, which are made from orchestrator_site/settings/environment.py."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only say whether they are current.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {
            settings.BASE_DIR / ".env.example": env_example(),
            settings.BASE_DIR / "docs" / "configuration.md": markdown(),
        }
        if options["check"]:
            stale = [path.name for path, text in wanted.items() if current(path) != text]
            if stale:
                raise CommandError(f"{' and '.join(stale)} not current: run manage.py write_configuration_docs.")
            return
        for path, text in wanted.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {path.relative_to(settings.BASE_DIR)}.")


def current(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
