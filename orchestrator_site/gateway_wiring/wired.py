"""The gateway as a part of the web process: closed, open, closed again."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from common.errors import Unavailable
from common.redis import RedisConnection
from gateway.edge.app import GatewayEdge
from gateway.edge.routes import find_route
from orchestrator_site import garbage
from orchestrator_site.asgi_messages import Receive, Scope, Send, answer_error
from orchestrator_site.gateway_wiring.changes import follow_changes
from orchestrator_site.gateway_wiring.services import gateway_services
from orchestrator_site.health.checks import Checkup
from orchestrator_site.health.parts import checks
from orchestrator_site.lifespan import background
from orchestrator_site.observation import Observed, Record
from orchestrator_site.settings.environment import Environment
from providers import health

CLOSED: Final = Unavailable("This process is starting or about to stop.", code="not_open", retry_after=1)


class WiredGateway:
    """Knows its paths at all times; answers them while `opened` lasts, and 503 before and after."""

    def __init__(self, environment: Environment, record: Record) -> None:
        self._environment = environment
        self._edge: GatewayEdge | None = None
        self._refusal = Observed(refuse, record)
        self.checkup: Checkup | None = None
        self._redis: RedisConnection | None = None

    def handles(self, path: str) -> bool:
        return find_route(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._edge or self._refusal)(scope, receive, send)

    async def provider_health(self) -> Mapping[str, health.ProviderHealth]:
        """What was last seen of each platform provider; nothing while Redis is away, which is told as a part."""
        try:
            return {} if self._redis is None else health.decode(await self._redis.call("HGETALL", health.KEY))
        except Unavailable:
            return {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        services = gateway_services(self._environment)
        async with (
            services,
            background(
                lambda: follow_changes(self._environment.database_url, services.configs.poll), "configuration changes"
            ),
        ):
            self.checkup = Checkup(checks(redis=services.redis, accepting=lambda: services.ledger.accepting))
            self._edge = GatewayEdge(services)
            self._redis = services.redis
            garbage.freeze()
            try:
                yield
            finally:
                self._edge = self.checkup = self._redis = None


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await answer_error(send, CLOSED)
