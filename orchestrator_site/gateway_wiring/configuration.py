"""The gateway's view of PostgreSQL: snapshots loaded in the database's threads."""

import dataclasses
from collections.abc import Callable, Collection
from functools import partial
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from common.errors import OrchestratorError, Unavailable
from providers.catalogue import Catalogue
from providers.snapshots import load_platform_catalogue, load_tenant_catalogue
from tenants import database_threads, snapshots
from tenants.door import no_later_than
from tenants.identity import IdentitySnapshot, TenantRef, Versions

log = structlog.get_logger(__name__)

DEADLINE_SECONDS: Final = 5.0
AWAY: Final = (OperationalError, InterfaceError, PoolTimeout)

P = ParamSpec("P")
R = TypeVar("R")


class PostgresConfiguration:
    """Implements gateway.ports.ConfigSource. `default_model` stands in for tenants that set none."""

    def __init__(self, *, default_model: str) -> None:
        self._default_model = default_model

    async def identity(self, tenant_id: UUID) -> IdentitySnapshot:
        found = await read(snapshots.load_identity, tenant_id)
        return dataclasses.replace(found, default_model=found.default_model or self._default_model)

    async def tenant_catalogue(self, tenant: TenantRef) -> Catalogue:
        return await read(load_tenant_catalogue, tenant)

    async def platform_catalogue(self) -> Catalogue:
        return await read(load_platform_catalogue)

    async def tenant_of_key(self, key_id: str) -> UUID | None:
        return await read(snapshots.find_tenant_of_key, key_id)

    async def tenant_of_host(self, host: str) -> TenantRef | None:
        return await read(snapshots.tenant_of_host, host)

    async def versions(self, tenant_ids: Collection[UUID]) -> Versions:
        return await read(snapshots.versions_of, tenant_ids)


async def read(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`function`, which opens its own scope, in a database thread.

    Raises what it refuses itself, and Unavailable for everything else that keeps it from succeeding.
    """
    return await in_database_thread(
        partial(function, *args, **kwargs), "The configuration cannot be read at the moment."
    )


async def in_database_thread(function: Callable[[], R], refusal: str) -> R:
    """As `read`; `refusal` is what a caller is told."""

    def work(deadline_at: float) -> R:
        with no_later_than(deadline_at):
            return function()

    try:
        return await database_threads.run(work, DEADLINE_SECONDS)
    except OrchestratorError:
        raise
    except Exception as error:
        if not isinstance(error, AWAY):
            log.exception("database_unusable", refusal=refusal)
        raise Unavailable(refusal, retry_after=1) from error
