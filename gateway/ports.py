"""What the gateway is given at wiring time, as protocols."""

from collections.abc import Collection, Iterable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from billing.ledger.rows import Intent, Settlement
from providers.catalogue import Catalogue
from providers.wire.shapes import Deadlines, UpstreamRequest
from tenants.identity import TenantRef

if TYPE_CHECKING:
    from providers.client import UpstreamResponse
    from tenants.snapshots import IdentitySnapshot, Versions


class ConfigSource(Protocol):
    """Reads configuration from PostgreSQL. Every function raises Unavailable when that cannot be reached in time."""

    async def identity(self, tenant_id: UUID) -> "IdentitySnapshot":
        """Raises NotFound."""
        ...

    async def tenant_catalogue(self, tenant: TenantRef) -> Catalogue: ...

    async def platform_catalogue(self) -> Catalogue: ...

    async def tenant_of_key(self, key_id: str) -> UUID | None: ...

    async def tenant_of_host(self, host: str) -> TenantRef | None: ...

    async def versions(self, tenant_ids: Collection[UUID]) -> "Versions":
        """The versions in force of the platform and of those of the tenants that exist."""
        ...


class Ledger(Protocol):
    """Where every attempt is recorded."""

    process_id: UUID

    @property
    def accepting(self) -> bool: ...

    async def open(self, intent: Intent) -> None:
        """Durable when it returns. Raises Unavailable."""
        ...

    def settle(self, settlement: Settlement) -> None:
        """Never blocks, never drops."""
        ...


class Upstream(Protocol):
    """Sends one request to a provider."""

    def send(
        self, request: UpstreamRequest, deadlines: Deadlines, extra_headers: Iterable[tuple[str, str]] = ()
    ) -> "AbstractAsyncContextManager[UpstreamResponse]": ...
