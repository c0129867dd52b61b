"""Errors of actions, as a command line says them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from common.errors import OrchestratorError
from tenants import snapshots
from tenants.identity import TenantRef


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turns a refusal into one line that names the field."""
    try:
        yield
    except OrchestratorError as error:
        raise CommandError(f"{error.param}: {error.message}" if error.param else error.message) from error


def tenant_named(slug: str) -> TenantRef:
    """Raises CommandError naming the tenants that exist, when they are few."""
    tenant = snapshots.find_tenant(slug)
    if tenant is not None:
        return tenant
    slugs = [each.slug for each in snapshots.list_tenants()]
    known = f" There are {', '.join(slugs)}." if 0 < len(slugs) <= 20 else ""
    raise CommandError(f"tenant: there is no tenant {slug!r}.{known}")
