"""Which other sites' pages may call /v1: the origins in CORS_ORIGINS, with a key and never with cookies."""

from collections.abc import Collection
from typing import Final

from orchestrator_site.asgi_messages import Application, Receive, Scope, Send
from orchestrator_site.observation import Observed, Record

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The OpenAI SDK in a browser sends x-stainless-* headers, new ones from time to time.
ANY_HEADER: Final = ("*",)
SHOWN: Final = (
    "x-request-id",
    "idempotent-replayed",
    "x-orchestrator-original-request-id",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
)


class CrossOrigin:
    """Lets the origins named call the paths below /v1/; everything else stays closed to other sites."""

    def __init__(self, application: Application, origins: Collection[str], record: Record) -> None:
        # Loaded where it is used alone: most installations name no origin.
        from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415

        self._closed = application
        self._open = CORSMiddleware(
            application,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=ANY_HEADER,
            expose_headers=SHOWN,
            max_age=600,
        )
        # It answers preflights itself, so they need an id and a place in the metrics here.
        self._preflight = Observed(self._open, record)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/v1/"):
            await self._closed(scope, receive, send)
        elif any(name == b"access-control-request-method" for name, _ in scope["headers"]):
            await self._preflight(scope, receive, send)
        else:
            await self._open(scope, receive, send)
