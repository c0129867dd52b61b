"""The ASGI application of a web process: `orchestrator_site.asgi:application`."""

import os

import django
from django.conf import settings

from orchestrator_site.asgi_messages import Application


def load() -> Application:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings.web")
    django.setup()
    from orchestrator_site.web_process import build  # noqa: PLC0415 - models cannot be imported before the set-up

    return build(settings.ENVIRONMENT)


application = load()
