"""`manage.py write_price_list`: extract what chat needs from the installed genai-prices."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.price_extract import extract
from providers.price_list import PATH


class Command(BaseCommand):
    help = "Write providers/price_list.json from the installed release of genai-prices."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Fail if the file is not what would be written.")

    def handle(self, *args: Any, **options: Any) -> None:
        text = extract()
        if options["check"]:
            if not PATH.exists() or PATH.read_text() != text:
                raise CommandError("price_list.json is not what the installed genai-prices gives: write it again.")
            return
        PATH.write_text(text)
        self.stdout.write(f"Wrote {PATH.name}, {len(text) // 1024} KB.")
