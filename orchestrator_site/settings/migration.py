"""Migrations: no pool, and as the owner of the tables rather than the role the application enters as."""

from orchestrator_site.settings.base import *  # noqa: F403
from orchestrator_site.settings.base import DATABASES

del DATABASES["default"]["OPTIONS"]["assume_role"]
