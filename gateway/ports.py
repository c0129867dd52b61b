"""What the gateway is given at wiring time, as protocols."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from providers.catalogue import Catalogue
from providers.wire.responses.history import StoredResponse
from tenants.identity import IdentitySnapshot, TenantRef, Versions


class ConfigSource(Protocol):
    """Reads configuration from PostgreSQL. Every function raises Unavailable when that cannot be done in time, for
    whatever reason."""

    async def identity(self, tenant_id: UUID) -> IdentitySnapshot:
        """Raises NotFound."""
        ...

    async def tenant_catalogue(self, tenant: TenantRef) -> Catalogue: ...

    async def platform_catalogue(self) -> Catalogue: ...

    async def tenant_of_key(self, key_id: str) -> UUID | None: ...

    async def tenant_of_host(self, host: str) -> TenantRef | None: ...

    async def versions(self, tenant_ids: Collection[UUID]) -> Versions:
        """The versions in force of the platform and of those of the tenants that exist."""
        ...


class ResponseStore(Protocol):
    """Keeps responses for those that may follow. Every function raises Unavailable when PostgreSQL cannot be asked in
    time, for whatever reason; another tenant's responses are not found."""

    async def store(
        self, tenant: TenantRef, stored: StoredResponse, *, api_key_id: UUID | None, user_id: UUID | None
    ) -> None:
        """Repeatable."""
        ...

    async def find(self, tenant: TenantRef, response_id: str) -> StoredResponse:
        """Raises NotFound, also for what has expired."""
        ...

    async def delete(self, tenant: TenantRef, response_id: str) -> None:
        """Raises NotFound."""
        ...
