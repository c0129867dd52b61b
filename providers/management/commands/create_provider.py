"""`manage.py create_provider`: register an upstream, for the platform or for one tenant."""

import os
import sys
from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.actions.catalogue import apply_catalogue
from providers.actions.templates import create_from_template
from providers.catalogue_file import CatalogueFile, ModelEntry, PriceEntry, ProviderEntry, catalogue_file_at
from providers.scope import Owner
from providers.templates.document import API_KEY
from tenants.command_errors import tenant_named, told_plainly

STDIN_KEY = "(the key on standard input)"


class Command(BaseCommand):
    help = (
        "Makes a provider with its models, or changes the one of that name. Platform-wide, unless --tenant says whose. "
        "The key comes from an environment variable or from standard input, never from the command line."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="The provider's name, as in name/model.")
        parser.add_argument("--tenant", help="The slug of the tenant it belongs to.")
        parser.add_argument("--base-url", help="Up to and including the version, such as https://host/v1.")
        parser.add_argument("--key-env", default="", help="The environment variable that holds the key.")
        parser.add_argument("--key-stdin", action="store_true", help="Read the key from standard input.")
        parser.add_argument("--model", action="append", default=[], help="A model's id at the vendor; repeatable.")
        parser.add_argument("--price", help="USD per million tokens for all these models, as INPUT/OUTPUT: 0.15/0.60.")
        parser.add_argument("--price-provider", default="", help="The id in genai-prices whose price list applies.")
        parser.add_argument("--wire", default="openai")
        parser.add_argument("--template", help="Make it from this template, such as groq; it must be new.")
        parser.add_argument("--set", action="append", default=[], help="NAME=VALUE for the template; repeatable.")
        parser.add_argument("--file", help="Many at once, from a JSON file in the form of MODEL_CONFIGS.")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = tenant_named(options["tenant"]) if options["tenant"] else None
        if options["template"]:
            with told_plainly():
                self.from_template(owner, options)
            return
        with told_plainly():
            catalogue, environ = self.asked(options)
            apply_catalogue(owner=owner, catalogue=catalogue, environ=environ)
        for provider in catalogue.providers:
            self.stdout.write(f"{provider.name}: {', '.join(model.name for model in provider.models) or 'no models'}")

    def from_template(self, owner: Owner, options: dict[str, Any]) -> None:
        name, models = options["name"], options["model"]
        if not name or options["base_url"] or options["file"] or options["price"]:
            raise CommandError("With --template give a name, the key, --set and --model alone.")
        values = dict(pair(each) for each in options["set"])
        if options["key_stdin"]:
            values[API_KEY] = sys.stdin.readline().strip()
        elif options["key_env"]:
            values[API_KEY] = os.environ.get(options["key_env"], "")
        create_from_template(owner=owner, template=options["template"], name=name, values=values, models=models or None)
        self.stdout.write(f"{name}: made from {options['template']}")

    def asked(self, options: dict[str, Any]) -> tuple[CatalogueFile, dict[str, str]]:
        if options["file"]:
            if options["name"] or options["model"]:
                raise CommandError("Give either --file or a name and its options.")
            return catalogue_file_at(options["file"], asked_by="--file"), dict(os.environ)
        if not options["name"] or not options["base_url"]:
            raise CommandError("Give a name and --base-url, or --file.")
        environ = dict(os.environ)
        key_env = options["key_env"]
        if options["key_stdin"]:
            key_env = STDIN_KEY
            environ[STDIN_KEY] = sys.stdin.readline()
        price = None if options["price"] is None else parse_price(options["price"])
        provider = ProviderEntry(
            name=options["name"],
            base_url=options["base_url"],
            wire=options["wire"],
            key_env=key_env,
            price_provider=options["price_provider"],
            models=tuple(ModelEntry(name=name, price=price) for name in options["model"]),
        )
        return CatalogueFile(providers=(provider,)), environ


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError("--set: give NAME=VALUE, such as RESOURCE=my-resource.")
    return name, value


def parse_price(text: str) -> PriceEntry:
    try:
        given, taken = (Decimal(part) for part in text.split("/"))
    except (ValueError, InvalidOperation):
        raise CommandError("--price: give USD per million tokens as INPUT/OUTPUT, such as 0.15/0.60.") from None
    if not (given.is_finite() and taken.is_finite() and given >= 0 and taken >= 0):
        raise CommandError("--price: a price is not negative.")
    return PriceEntry(input=given, output=taken)
