"""The cast: Alice owns Acme, Bob is on her team, Charlie owns Globex and must see nothing of Acme's.

Rows are committed once a session and stay: no test assumes an empty table, and none changes the cast. A test that
changes a tenant asks `make_tenant` for one of its own.
"""

import itertools
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.test import Client, TransactionTestCase

from tenants.actions.api_keys import create_api_key
from tenants.actions.people import add_member, create_user
from tenants.actions.tenants import create_tenant
from tenants.door import platform_scope
from tenants.identity import TenantRef
from tenants.models import User

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    email: str
    password: str = PASSWORD


@dataclass(frozen=True, slots=True)
class CastTenant:
    """A tenant with one live key that has every scope; `key` is what a caller sends."""

    tenant: TenantRef
    host: str
    key: str
    key_id: str
    key_uuid: UUID


@dataclass(frozen=True, slots=True)
class Cast:
    acme: CastTenant
    globex: CastTenant
    alice: Person
    bob: Person
    charlie: Person


MakeTenant = Callable[..., CastTenant]
numbers = itertools.count(1)


@pytest.fixture(autouse=True, scope="session")
def keep_rows() -> Iterator[None]:
    """A transactional test does not empty the database: the bound role may not, and the cast must stay."""
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: None)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def cast(django_db_setup, django_db_blocker) -> Cast:
    """Committed; the same for the whole session; never changed by a test."""
    with django_db_blocker.unblock():
        acme, globex = new_tenant("acme"), new_tenant("globex")
        alice, bob, charlie = (new_person(name) for name in ("alice", "bob", "charlie"))
        join(acme, alice, "owner")
        join(acme, bob, "member")
        join(globex, charlie, "owner")
    return Cast(acme, globex, alice, bob, charlie)


@pytest.fixture
def make_tenant(django_db_setup, django_db_blocker) -> MakeTenant:
    """A tenant of the test's own, committed, with a key: `make_tenant("name")`."""

    def make(name: str = "tenant", **options: Any) -> CastTenant:
        with django_db_blocker.unblock():
            return new_tenant(name, **options)

    return make


@pytest.fixture
def operator(cast) -> Client:
    """A browser in which an operator has logged in."""
    person = new_person("operator")
    with platform_scope():
        User.objects.filter(id=person.id).update(is_staff=True, is_superuser=True)
    client = Client(headers={"host": "localhost"})
    assert client.login(username=person.email, password=PASSWORD)
    return client


def new_tenant(name: str, **options: Any) -> CastTenant:
    slug = f"{name}-{next(numbers)}-{secrets.token_hex(4)}"
    tenant = create_tenant(slug=slug, name=name.capitalize(), **options)
    key = create_api_key(tenant=tenant, name="test")
    return CastTenant(tenant, f"{slug}.localhost", key.text, key.key_id, key.id)


def new_person(name: str) -> Person:
    email = f"{name}-{secrets.token_hex(4)}@example.com"
    return Person(create_user(email=email, password=PASSWORD, name=name.capitalize()), email)


def join(tenant: CastTenant, person: Person, role: str) -> None:
    add_member(tenant=tenant.tenant, user_id=person.id, role=role)
