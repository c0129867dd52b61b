"""Make an operator: a person who may sign in to the admin on the public host."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.actions.people import create_user
from tenants.command_errors import told_plainly


class Command(BaseCommand):
    help = "Makes an operator. The password is asked for, or read from standard input; never from the command line."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--password-stdin", action="store_true", help="Read one line, for scripts.")

    def handle(self, *args: Any, **options: Any) -> None:
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else asked()
        with told_plainly():
            create_user(email=options["email"], password=password, name=options["name"], is_operator=True)
        self.stdout.write(self.style.SUCCESS(f"Made the operator {options['email']}, who signs in at /admin/."))


def asked() -> str:
    """Raises CommandError when the two entries differ."""
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("The two passwords differ.")
    return password
