"""The ASGI application as a whole: who answers what.

lifespan     opens the gateway and the metrics port, closes them in reverse
websocket    nothing yet
http         /api/v1/… is /v1/…; the gateway's own paths go to it untouched; health and metrics are answered here;
             everything else is Django's
"""

from collections.abc import Collection
from typing import Protocol

from orchestrator_site.asgi_messages import Application, Receive, Scope, Send
from orchestrator_site.cors import CrossOrigin
from orchestrator_site.health.endpoints import HealthEndpoints
from orchestrator_site.metrics_exposure import MetricsEndpoint
from orchestrator_site.observation import Observed, Record
from orchestrator_site.patience import Patience
from orchestrator_site.websockets import refuse_socket

ALIAS = "/api/v1/"


class Gateway(Protocol):
    """Answers its own paths, with request ids, log lines and metrics of its own."""

    def handles(self, path: str) -> bool: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Front:
    def __init__(
        self,
        *,
        lifespan: Application,
        gateway: Gateway,
        django: Application,
        health: HealthEndpoints,
        metrics: MetricsEndpoint,
        record: Record,
        cors_origins: Collection[str] = (),
    ) -> None:
        self._lifespan = lifespan
        self._gateway = gateway
        self._observed = Observed(choose(health, metrics, Patience(django)), record)
        self._answer: Application = self._route
        if cors_origins:
            self._answer = CrossOrigin(self._route, cors_origins, record)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"].startswith(ALIAS):
                scope = without_alias(scope)
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await refuse_socket(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._gateway.handles(scope["path"]):
            await self._gateway(scope, receive, send)
        else:
            await self._observed(scope, receive, send)


def choose(health: HealthEndpoints, metrics: MetricsEndpoint, django: Application) -> Application:
    async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if health.handles(path):
            await health(scope, receive, send)
        elif path == "/metrics":
            await metrics(scope, receive, send)
        else:
            await django(scope, receive, send)

    return chosen


def without_alias(scope: Scope) -> Scope:
    """The same request under the path it has here."""
    path, raw_path = scope["path"].removeprefix("/api"), scope.get("raw_path") or b""
    return {**scope, "path": path, "raw_path": raw_path.removeprefix(b"/api")}
