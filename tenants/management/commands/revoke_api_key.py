"""Revoke an API key, at once and everywhere."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from common.errors import Unauthenticated
from tenants import keys
from tenants.actions.api_keys import revoke_api_key
from tenants.command_errors import tenant_named, told_plainly


class Command(BaseCommand):
    help = "Revokes an API key; it stops working at once in every process."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="The tenant's slug.")
        parser.add_argument("key", help="The key's id: the 16 characters after orc_; the whole key works too.")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        key_id = id_of(options["key"])
        with told_plainly():
            revoke_api_key(tenant=tenant, key_id=key_id)
        self.stdout.write(self.style.SUCCESS(f"Revoked the key {key_id} of {tenant.slug}."))


def id_of(key: str) -> str:
    try:
        return keys.parse(key).key_id
    except Unauthenticated:
        return key
