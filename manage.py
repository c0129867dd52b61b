#!/usr/bin/env python3
"""Django's command line, with the settings overlay that fits the command."""

import os
import sys

OWNER_COMMANDS = {"migrate", "migrate_schemas", "migrate_all", "makemigrations", "sqlmigrate", "write_tenant_schema"}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    overlay = "migration" if command in OWNER_COMMANDS else "worker"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"orchestrator_site.settings.{overlay}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
