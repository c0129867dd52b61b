"""The pages without gateway, ledger or database, for the tests of the web process."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "orchestrator_site.settings.web"

from django.core.asgi import get_asgi_application

from orchestrator_site.tests.small_application import answer, live

pages = get_asgi_application()


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await live(receive, send)
    elif scope["path"] == "/live":
        await answer(send, 200, b"")
    else:
        await pages(scope, receive, send)
