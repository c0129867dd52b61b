"""The client is tried on the event loop that it runs on in production."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from providers.tests.callers import CallerOf, caller_of
from tenants.tests.cast import MakeTenant


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def alice(make_tenant: MakeTenant) -> CallerOf:
    """A key of Acme that may manage its providers."""
    return caller_of(make_tenant("acme").tenant)


@pytest.fixture
def charlie(make_tenant: MakeTenant) -> CallerOf:
    """The same of Globex."""
    return caller_of(make_tenant("globex").tenant)
