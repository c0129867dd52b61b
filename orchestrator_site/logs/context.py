"""The request and the tenant that log lines belong to, carried by context variables."""

from uuid import UUID

import structlog


def begin(request_id: str) -> None:
    """Forgets what an earlier request on the same task has bound."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def bind_tenant(tenant_id: UUID) -> None:
    structlog.contextvars.bind_contextvars(tenant_id=str(tenant_id))
