#!/usr/bin/env python3
"""Django's command line, with the settings overlay that fits the command."""

import os
import sys

OVERLAYS = {
    "migrate": "migration",
    "migrate_schemas": "migration",
    "migrate_all": "migration",
    "makemigrations": "migration",
    "sqlmigrate": "migration",
    "write_tenant_schema": "migration",
    "runserver": "development",
}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"orchestrator_site.settings.{OVERLAYS.get(command, 'worker')}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
