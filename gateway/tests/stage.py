"""The gateway on real neighbours: PostgreSQL, Valkey, the real ledger, uvicorn."""

import asyncio
import contextlib
import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import aiohttp
import uvicorn
from django.conf import settings as django_settings

from billing.idempotency import store
from billing.ledger.writer import LedgerWriter
from common.clock import SystemClock
from common.errors import NotFound, Unavailable
from common.ids import new_id
from common.redis import RedisConnection
from gateway.edge.app import GatewayEdge
from gateway.services import GatewaySettings, Services
from providers.client import UpstreamClient
from providers.egress.resolver import Resolver
from providers.snapshots import load_platform_catalogue, load_tenant_catalogue
from tenants import database_threads, snapshots
from tenants.identity import TenantRef

SECONDS = 5.0


class DatabaseSource:
    """The loaders behind the door, each in a thread of the database's; they count how often they were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False

    async def read(self, function: Any, *arguments: Any) -> Any:
        self.asked.append(function.__name__)
        if self.broken:
            raise Unavailable("The test has taken the database away.")
        return await database_threads.run(lambda _: function(*arguments), SECONDS)

    async def identity(self, tenant_id: UUID) -> Any:
        return await self.read(snapshots.load_identity, tenant_id)

    async def tenant_catalogue(self, tenant: TenantRef) -> Any:
        return await self.read(load_tenant_catalogue, tenant)

    async def platform_catalogue(self) -> Any:
        return await self.read(load_platform_catalogue)

    async def tenant_of_key(self, key_id: str) -> Any:
        return await self.read(snapshots.find_tenant_of_key, key_id)

    async def tenant_of_host(self, host: str) -> Any:
        return await self.read(snapshots.tenant_of_host, host)

    async def versions(self, tenant_ids: Collection[UUID]) -> Any:
        return await self.read(snapshots.versions_of, list(tenant_ids))


class NotedKeys:
    """Remembers which keys were used."""

    def __init__(self) -> None:
        self.noted: dict[UUID, datetime] = {}

    def note(self, key_id: UUID, at: datetime) -> None:
        self.noted[key_id] = at

    async def flush(self) -> None: ...


class NothingKept:
    """No response is ever found; the store itself is tested in chat."""

    async def store(self, tenant: TenantRef, stored: Any, **holder: Any) -> None: ...

    async def find(self, tenant: TenantRef, response_id: str) -> Any:
        raise NotFound("There is none.")

    async def delete(self, tenant: TenantRef, response_id: str) -> None:
        raise NotFound("There is none.")


class DatabaseAnswers:
    """What is done once, behind the door as in the product."""

    async def claim(self, tenant: TenantRef, claim: Any, lease: Any) -> Any:
        return await database_threads.run(lambda _: store.claim_once(tenant=tenant, claim=claim, lease=lease), SECONDS)

    async def keep(self, tenant: TenantRef, claim: Any, answer: Any) -> bool:
        return await database_threads.run(
            lambda _: store.keep_answer(tenant=tenant, claim=claim, answer=answer), SECONDS
        )

    async def release(self, tenant: TenantRef, claim: Any) -> None:
        await database_threads.run(lambda _: store.release(tenant=tenant, claim=claim), SECONDS)

    async def renew(self, claims: Any, lease: Any) -> int:
        return await database_threads.run(lambda _: store.renew(claims=claims, lease=lease), SECONDS)


def make_services(**changed: Any) -> Services:
    parts: dict[str, Any] = {
        "settings": GatewaySettings(pepper=django_settings.ENVIRONMENT.api_key_pepper, **changed.pop("limits", {})),
        "source": DatabaseSource(),
        "redis": RedisConnection(os.environ["REDIS_URL"]),
        "ledger": LedgerWriter(os.environ["DATABASE_URL"], process_id=new_id()),
        "upstream": UpstreamClient(100, Resolver(django_settings.ENVIRONMENT.egress()).places),
        "key_use": NotedKeys(),
        "responses": NothingKept(),
        "idempotency": DatabaseAnswers(),
        "clock": SystemClock(),
    }
    return Services(**(parts | changed))


@dataclass(slots=True)
class Gateway:
    """A gateway that listens: `url` ends in /v1."""

    services: Services
    url: str
    session: aiohttp.ClientSession

    def post(self, key: str, body: Any, **options: Any) -> Any:
        """A completion; `body` may be bytes."""
        headers = {"authorization": f"Bearer {key}", **options.pop("headers", {})}
        if isinstance(body, bytes):
            headers.setdefault("content-type", "application/json")
            return self.session.post(f"{self.url}/chat/completions", data=body, headers=headers, **options)
        return self.session.post(f"{self.url}/chat/completions", json=body, headers=headers, **options)

    def get(self, path: str, key: str, **options: Any) -> Any:
        headers = {"authorization": f"Bearer {key}", **options.pop("headers", {})}
        return self.session.request(options.pop("method", "GET"), f"{self.url}{path}", headers=headers, **options)


@contextlib.asynccontextmanager
async def listening(services: Services):
    """The edge under uvicorn, in this event loop."""
    config = uvicorn.Config(GatewayEdge(services), port=0, lifespan="off", access_log=False, log_config=None)
    server = uvicorn.Server(config)
    async with services, aiohttp.ClientSession() as session:
        serving = asyncio.create_task(server.serve())
        await eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Gateway(services, f"http://127.0.0.1:{port}/v1", session)
        finally:
            server.should_exit = True
            await serving


async def eventually(look: Any, seconds: float = 5.0) -> Any:
    """What `look` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if asyncio.iscoroutine(found):
            found = await found
        if found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.02)
