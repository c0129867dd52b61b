"""`manage.py seed_platform_providers`: the providers that the environment and MODEL_CONFIGS ask for."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common.errors import OrchestratorError
from providers.actions.catalogue import apply_catalogue
from providers.catalogue_file import CatalogueFile, read_catalogue_file
from providers.platform_seed import from_environment
from providers.scope import owner_scope


class Command(BaseCommand):
    help = "Make or change the platform's providers to fit the environment. The same again changes nothing."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        asked, notices = from_environment(settings.ENVIRONMENT)
        configured = self.configured(settings.ENVIRONMENT.model_configs)
        try:
            with owner_scope(None):
                apply_catalogue(owner=None, catalogue=asked, environ=os.environ)
                apply_catalogue(owner=None, catalogue=configured, environ=os.environ)
        except OrchestratorError as error:
            raise CommandError(f"{error.param}: {error.message}" if error.param else error.message) from error
        for notice in notices:
            self.stdout.write(self.style.WARNING(notice))
        names = [provider.name for provider in (*asked.providers, *configured.providers)]
        self.stdout.write(f"Platform providers: {', '.join(names) or 'none'}.")

    def configured(self, path: str) -> CatalogueFile:
        if not path:
            return CatalogueFile()
        try:
            return read_catalogue_file(Path(path).read_bytes())
        except OSError as error:
            raise CommandError(f"MODEL_CONFIGS: {path} cannot be read: {error.strerror}.") from None
        except OrchestratorError as error:
            raise CommandError(f"{path}: {error.param or 'file'}: {error.message}") from None
