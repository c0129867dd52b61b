"""Whose catalogue a piece of work is about: a tenant's, or the platform's (None)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings

from common.crypto import Keyring, Place
from tenants.config_version import raise_platform_version, raise_version
from tenants.door import TenantRef, platform_scope, tenant_scope

Owner = TenantRef | None


@contextmanager
def owner_scope(owner: Owner) -> Iterator[None]:
    """The transaction in which actions on this owner's catalogue run. Raises NestedDoor inside another."""
    with platform_scope() if owner is None else tenant_scope(owner):
        yield


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
