"""What the gateway is given at wiring time, as protocols."""

from collections.abc import Collection
from datetime import timedelta
from typing import Literal, Protocol
from uuid import UUID

from billing.idempotency.claims import Claim, Kept
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


class IdempotencyStore(Protocol):
    """Knows which requests with an idempotency key are under way or answered, as `billing.idempotency.store` says.
    Every function raises Unavailable when PostgreSQL cannot be asked in time, for whatever reason."""

    async def claim(self, tenant: TenantRef, claim: Claim, lease: timedelta) -> Kept | Literal["ours", "running"]:
        """Raises Conflict for a key that stands for another request."""
        ...

    async def keep(self, tenant: TenantRef, claim: Claim, answer: Kept) -> bool:
        """False where the claim was lost."""
        ...

    async def release(self, tenant: TenantRef, claim: Claim) -> None: ...

    async def renew(self, claims: Collection[Claim], lease: timedelta) -> int: ...
