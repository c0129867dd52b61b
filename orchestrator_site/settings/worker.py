"""Celery and one-off commands: no pool, since a pool does not survive a fork."""

from orchestrator_site.settings.base import *  # noqa: F403
