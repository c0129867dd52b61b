"""What every request outside the gateway's own paths gets: an id, a line in the log and a place in the metrics."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from common.ids import new_id
from gateway.edge.errors import unexpected
from orchestrator_site.asgi_messages import Application, Message, Receive, Scope, Send, answer_error
from orchestrator_site.logs import context

log = structlog.get_logger(__name__)

# Set by whoever knows: the template of the route, never the path itself, and the tenant's id.
ROUTE: Final = "orchestrator.route"
TENANT: Final = "orchestrator.tenant"
OTHER: Final = "other"
# The caller left before there was an answer.
GONE: Final = 499
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked all the time, and not by people.
UNLOGGED: Final = ("/live", "/ready", "/health", "/info", "/metrics", "/static/")

Record = Callable[[str, str, int, float], None]


class Observed:
    """`record(method, route, status, seconds)` is called once for each request."""

    def __init__(self, application: Application, record: Record) -> None:
        self._application = application
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(new_id())
        context.begin(request_id)
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = with_id(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self._application(scope, receive, send_with_id)
        except Exception:
            log.exception("request_failed", path=scope["path"])
            if status:
                raise
            await answer_error(send_with_id, unexpected())
        finally:
            self._tell(scope, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = scope.get(ROUTE, OTHER)
        self._record(method, route, status or GONE, seconds)
        if not scope["path"].startswith(UNLOGGED):
            tenant = {"tenant_id": scope[TENANT]} if TENANT in scope else {}
            log.info(
                "request", method=method, route=route, status=status or GONE, ms=round(seconds * 1000, 1), **tenant
            )


def with_id(headers: "list[tuple[bytes, bytes]]", request_id: str) -> list[tuple[bytes, bytes]]:
    """Unless the application has given the answer an id of its own."""
    pairs = list(headers)
    if any(name.lower() == b"x-request-id" for name, _ in pairs):
        return pairs
    return [*pairs, (b"x-request-id", request_id.encode())]
