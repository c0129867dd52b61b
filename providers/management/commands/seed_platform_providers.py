"""`manage.py seed_platform_providers`: the providers that the environment and MODEL_CONFIGS ask for."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from providers.actions.catalogue import apply_catalogue
from providers.catalogue_file import CatalogueFile, catalogue_file_at
from providers.platform_seed import from_environment
from providers.scope import owner_scope
from tenants.command_errors import told_plainly


class Command(BaseCommand):
    help = "Make or change the platform's providers to fit the environment. The same again changes nothing."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        asked, notices = from_environment(settings.ENVIRONMENT)
        path = settings.ENVIRONMENT.model_configs
        with told_plainly():
            configured = catalogue_file_at(path, asked_by="MODEL_CONFIGS") if path else CatalogueFile()
            with owner_scope(None):
                apply_catalogue(owner=None, catalogue=asked, environ=os.environ)
                apply_catalogue(owner=None, catalogue=configured, environ=os.environ)
        for notice in notices:
            self.stdout.write(self.style.WARNING(notice))
        names = [provider.name for provider in (*asked.providers, *configured.providers)]
        self.stdout.write(f"Platform providers: {', '.join(names) or 'none'}.")
