"""Whose catalogue a piece of work is about: a tenant's, or the platform's (None)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from django.conf import settings

from common.crypto import Keyring, Place
from tenants.config_version import raise_platform_version, raise_version
from tenants.door import TenantRef, in_platform_scope, platform_scope, tenant_scope

Owner = TenantRef | None

P = ParamSpec("P")
R = TypeVar("R")

_entered: ContextVar[TenantRef | None] = ContextVar("catalogue_of", default=None)


@contextmanager
def owner_scope(owner: Owner) -> Iterator[None]:
    """One transaction on this owner's catalogue; actions called inside belong to it.

    Raises NestedDoor inside another scope.
    """
    if owner is None:
        with platform_scope():
            yield
        return
    with tenant_scope(owner):
        token = _entered.set(owner)
        try:
            yield
        finally:
            _entered.reset(token)


def in_owner_scope(function: Callable[P, R]) -> Callable[P, R]:
    """Runs an action in the scope of its `owner`: the caller's own `owner_scope`, or a new one."""
    for_platform = in_platform_scope(function)

    @wraps(function)
    def entered(*args: P.args, **kwargs: P.kwargs) -> R:
        owner = kwargs["owner"]
        if owner is None:
            return for_platform(*args, **kwargs)
        if _entered.get() == owner:
            return function(*args, **kwargs)
        assert isinstance(owner, TenantRef)  # noqa: S101 for the type checker
        with owner_scope(owner):
            return function(*args, **kwargs)

    return entered


def raise_owner_version(owner: Owner) -> None:
    if owner is None:
        raise_platform_version()
    else:
        raise_version(owner.id)


def secret_place(owner: Owner, credential_id: object) -> Place:
    return Place(tenant="platform" if owner is None else str(owner.id), row=str(credential_id), field="secret")


@cache
def keyring() -> Keyring:
    """Made once a process from ENCRYPTION_KEY. Raises common.crypto.WeakKey."""
    return Keyring(settings.ENVIRONMENT.encryption_key)
