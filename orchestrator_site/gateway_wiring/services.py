"""The gateway's services, made of what the rooms below it offer."""

from datetime import datetime
from typing import Final
from uuid import UUID

from billing.ledger.writer import LedgerWriter
from common.clock import SystemClock
from common.ids import new_id
from common.redis import RedisConnection
from gateway.completion_log import through_structlog
from gateway.services import GatewaySettings, Services
from orchestrator_site.gateway_wiring.configuration import PostgresConfiguration, read
from orchestrator_site.gateway_wiring.idempotency import PostgresIdempotency
from orchestrator_site.gateway_wiring.responses import PostgresResponses
from orchestrator_site.logs.direct import information
from orchestrator_site.settings.environment import Environment
from providers.client import UpstreamClient
from providers.egress.resolver import Resolver
from tenants.key_use import KeyUse

# Running answers had their time before, while the server closed its connections; this is for what they leave behind.
CLOSING_SECONDS: Final = 5.0


class PostgresKeyUse:
    """Implements gateway.services.KeyUse."""

    def __init__(self) -> None:
        self._kept = KeyUse()

    def note(self, key_id: UUID, at: datetime) -> None:
        self._kept.note(key_id, at)

    async def flush(self) -> None:
        await read(self._kept.flush)


def gateway_settings(environment: Environment) -> GatewaySettings:
    return GatewaySettings(
        pepper=environment.api_key_pepper,
        requests_per_minute=environment.max_requests_per_min,
        request_timeout=environment.request_timeout_seconds,
        stream_timeout=environment.stream_timeout,
        most_at_once=environment.max_concurrent_requests,
        # The other half is for those whose keys are known.
        key_lookups_at_once=max(1, environment.connection_pool_size // 2),
        most_body_bytes=environment.max_body_bytes,
        shutdown=CLOSING_SECONDS,
    )


def gateway_services(environment: Environment) -> Services:
    """Not opened yet. Everything in it belongs to one event loop."""
    clock = SystemClock()
    return Services(
        settings=gateway_settings(environment),
        source=PostgresConfiguration(default_model=environment.default_model),
        redis=RedisConnection(environment.redis_url),
        ledger=LedgerWriter(environment.database_url, process_id=new_id(), clock=clock),
        upstream=UpstreamClient(environment.upstream_pool_size, Resolver(environment.egress()).places),
        key_use=PostgresKeyUse(),
        responses=PostgresResponses(),
        idempotency=PostgresIdempotency(),
        clock=clock,
        completion_log=information(environment.log_level, environment.log_format) or through_structlog,
    )
