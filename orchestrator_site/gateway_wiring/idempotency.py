"""Where the gateway keeps what is to be done once: in PostgreSQL, through the database's threads."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Final, Literal

from billing.idempotency import store
from billing.idempotency.claims import Claim, Kept
from orchestrator_site.gateway_wiring.configuration import in_database_thread
from tenants.identity import TenantRef

REFUSAL: Final = "What an idempotency-key stands for cannot be looked up at the moment."


class PostgresIdempotency:
    """Implements gateway.ports.IdempotencyStore."""

    async def claim(self, tenant: TenantRef, claim: Claim, lease: timedelta) -> Kept | Literal["ours", "running"]:
        return await in_database_thread(partial(store.claim_once, tenant=tenant, claim=claim, lease=lease), REFUSAL)

    async def keep(self, tenant: TenantRef, claim: Claim, answer: Kept) -> bool:
        return await in_database_thread(partial(store.keep_answer, tenant=tenant, claim=claim, answer=answer), REFUSAL)

    async def release(self, tenant: TenantRef, claim: Claim) -> None:
        await in_database_thread(partial(store.release, tenant=tenant, claim=claim), REFUSAL)

    async def renew(self, claims: Collection[Claim], lease: timedelta) -> int:
        return await in_database_thread(partial(store.renew, claims=claims, lease=lease), REFUSAL)
