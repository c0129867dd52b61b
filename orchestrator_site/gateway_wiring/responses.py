"""Where the gateway keeps responses: in PostgreSQL, through the database's threads."""

from functools import partial
from typing import Final
from uuid import UUID

from chat.responses import delete_response, find_response, store_response
from orchestrator_site.gateway_wiring.configuration import in_database_thread
from providers.wire.responses.history import StoredResponse
from tenants.identity import TenantRef

REFUSAL: Final = "Stored responses cannot be reached at the moment."


class PostgresResponses:
    """Implements gateway.ports.ResponseStore."""

    async def store(
        self, tenant: TenantRef, stored: StoredResponse, *, api_key_id: UUID | None, user_id: UUID | None
    ) -> None:
        work = partial(store_response, tenant=tenant, stored=stored, api_key_id=api_key_id, user_id=user_id)
        await in_database_thread(work, REFUSAL)

    async def find(self, tenant: TenantRef, response_id: str) -> StoredResponse:
        return await in_database_thread(partial(find_response, tenant=tenant, response_id=response_id), REFUSAL)

    async def delete(self, tenant: TenantRef, response_id: str) -> None:
        await in_database_thread(partial(delete_response, tenant=tenant, response_id=response_id), REFUSAL)
