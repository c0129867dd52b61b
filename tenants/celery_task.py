"""The base of every Celery task: a task says whose it is, or that it is the platform's.

@shared_task                       needs tenant_id=…, a UUID as text, when enqueued and when run
@shared_task(platform=True)        works for all tenants, and takes none
"""

from typing import Any
from uuid import UUID

import structlog
from celery import Task


class TenantMissing(TypeError):
    """A task was enqueued or run without saying for which tenant."""


class TenantTask(Task):  # type: ignore[type-arg]
    """Binds the tenant to the task's log lines. The task itself opens the door for it."""

    platform = False

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        self.check_tenant(kwargs or {})
        return super().apply_async(args, kwargs, *rest, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tenant_id = self.check_tenant(kwargs)
        bound = {} if tenant_id is None else {"tenant_id": str(tenant_id)}
        with structlog.contextvars.bound_contextvars(task=self.name, **bound):
            return super().__call__(*args, **kwargs)

    def check_tenant(self, kwargs: dict[str, Any]) -> UUID | None:
        """Raises TenantMissing."""
        given = kwargs.get("tenant_id")
        if self.platform:
            if given is not None:
                raise TenantMissing(f"{self.name} is the platform's: it takes no tenant_id")
            return None
        try:
            return UUID(str(given))
        except ValueError:
            raise TenantMissing(f"{self.name} needs tenant_id, a tenant's id, as a keyword") from None
