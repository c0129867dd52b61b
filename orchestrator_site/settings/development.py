"""`manage.py runserver`: web, served by daphne, whose Twisted would cost every other process a second."""

from orchestrator_site.settings.base import INSTALLED_APPS
from orchestrator_site.settings.web import *  # noqa: F403

INSTALLED_APPS.insert(0, "daphne")
