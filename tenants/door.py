"""The one door to the database: every piece of work says whose it is, or that it is the platform's.

Each scope is one transaction of its own. Inside it the role, the tenant that row-level security binds, the search
path and the statement timeout are set for that transaction alone (`set_config(…, true)`), so they end with it.

    with tenant_scope(tenant):    role orchestrator_app, rows of this tenant, its schema before public
    with platform_scope():        role orchestrator_system, every tenant's public rows, no tenant's schema
    await tenant_db(tenant, f)    `f` in such a scope in a thread of the database's own pool
    await platform_db(f)

Nothing else in the project calls `connection.set_schema` or `connection.set_tenant`.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

from django.conf import settings
from django.db import connection as default_connection
from django.db import transaction

from tenants import database_threads
from tenants.db_backend.base import DatabaseWrapper
from tenants.identity import TenantRef
from tenants.row_security import APP_ROLE, SYSTEM_ROLE

__all__ = [
    "NestedDoor",
    "TenantRef",
    "in_open_scope",
    "in_platform_scope",
    "no_later_than",
    "owner_rights",
    "platform_db",
    "platform_scope",
    "tenant_db",
    "tenant_scope",
]

PUBLIC: Final = "public"
PLATFORM: Final = "the platform"
STATEMENT_SECONDS: Final = 30.0
DEADLINE_SECONDS: Final = 5.0

P = ParamSpec("P")
R = TypeVar("R")

connection = cast(DatabaseWrapper, default_connection)

_inside: ContextVar[str | None] = ContextVar("door", default=None)
_ends_at: ContextVar[float] = ContextVar("door_ends_at", default=math.inf)


class NestedDoor(RuntimeError):
    """A scope was opened inside another; finish the first one, or pass its results on as values."""


@contextmanager
def tenant_scope(tenant: TenantRef, *, deadline: float = STATEMENT_SECONDS) -> Iterator[None]:
    """A transaction that sees this tenant alone. `deadline`: seconds for each statement. Raises NestedDoor."""
    with _scope(f"tenant {tenant.slug}", tenant.schema_name, APP_ROLE, str(tenant.id), deadline):
        yield


@contextmanager
def platform_scope(*, deadline: float = STATEMENT_SECONDS) -> Iterator[None]:
    """A transaction that sees the public rows of every tenant. Raises NestedDoor."""
    with _scope(PLATFORM, PUBLIC, SYSTEM_ROLE, "", deadline):
        yield


@contextmanager
def owner_rights() -> Iterator[None]:
    """Inside `platform_scope`: as the owner of the tables, for DDL (a tenant's schema, a partition)."""
    if _inside.get() != PLATFORM:
        raise NestedDoor("owner_rights() is entered from platform_scope() alone")
    _set_local({"role": "none"})
    yield
    # After an error the transaction, and the role with it, is rolled back.
    _set_local({"role": SYSTEM_ROLE})


@contextmanager
def no_later_than(deadline_at: float) -> Iterator[None]:
    """Statements of the scopes opened inside end by `deadline_at` (monotonic time), however much longer those allow."""
    token = _ends_at.set(deadline_at)
    try:
        yield
    finally:
        _ends_at.reset(token)


def in_platform_scope(function: Callable[P, R]) -> Callable[P, R]:
    """Runs `function` in the caller's platform scope, or in one of its own when there is none."""

    @wraps(function)
    def entered(*args: P.args, **kwargs: P.kwargs) -> R:
        if _inside.get() == PLATFORM:
            return function(*args, **kwargs)
        with platform_scope():
            return function(*args, **kwargs)

    return entered


def in_open_scope(function: Callable[P, R]) -> Callable[P, R]:
    """Runs `function` in whatever scope the caller opened, or in a platform scope of its own."""

    @wraps(function)
    def entered(*args: P.args, **kwargs: P.kwargs) -> R:
        if _inside.get() is not None:
            return function(*args, **kwargs)
        with platform_scope():
            return function(*args, **kwargs)

    return entered


async def tenant_db(tenant: TenantRef, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`function` in a tenant_scope, in a thread of the database's pool, within DEADLINE_SECONDS.

    Raises NestedDoor, and Unavailable when the deadline passes or too many calls wait.
    """
    refuse_nesting(f"tenant {tenant.slug}")

    def work(deadline_at: float) -> R:
        with tenant_scope(tenant, deadline=deadline_at - time.monotonic()):
            return function(*args, **kwargs)

    return await database_threads.run(work, DEADLINE_SECONDS)


async def platform_db(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Like `tenant_db`, in a platform_scope."""
    refuse_nesting(PLATFORM)

    def work(deadline_at: float) -> R:
        with platform_scope(deadline=deadline_at - time.monotonic()):
            return function(*args, **kwargs)

    return await database_threads.run(work, DEADLINE_SECONDS)


@contextmanager
def _scope(name: str, schema: str, role: str, tenant_id: str, deadline: float) -> Iterator[None]:
    refuse_nesting(name)
    was_connected = connection.connection is not None
    token = _inside.set(name)
    try:
        connection.set_schema(schema)
        with transaction.atomic(durable=True):
            seconds = min(deadline, _ends_at.get() - time.monotonic())
            _bind(role=role, tenant_id=tenant_id, milliseconds=max(1, round(seconds * 1000)))
            yield
    finally:
        _inside.reset(token)
        connection.set_schema_to_public()
        if connection.in_atomic_block:
            # Only a test's own transaction lets a scope be inside it; nothing of the scope may outlive it there either.
            _bind(
                role=settings.DATABASES["default"]["OPTIONS"].get("assume_role", "none"), tenant_id="", milliseconds=0
            )
        elif not was_connected:
            connection.close()


def _bind(*, role: str, tenant_id: str, milliseconds: int) -> None:
    _set_local({"role": role, "app.tenant_id": tenant_id, "statement_timeout": str(milliseconds)})


def _set_local(values: dict[str, str]) -> None:
    calls = ", ".join(["set_config(%s, %s, true)"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [each for item in values.items() for each in item])


def refuse_nesting(name: str) -> None:
    """Raises NestedDoor when this code, or whoever awaits it, is inside a scope already."""
    if (outer := _inside.get()) is not None:
        raise NestedDoor(f"the door to {name} was opened inside the door to {outer}")
