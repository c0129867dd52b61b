"""What every test has: the cast, and no way out to the network."""

import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from common.redis import RedisConnection

# Of two plugins that define a fixture the one loaded later wins, which would be pytest-django; a conftest beats both.
from orchestrator_site.tests.environment_plugin import django_db_setup  # noqa: F401

pytest_plugins = ["tenants.tests.cast"]

REAL_CONNECT = socket.socket.connect
REAL_CONNECT_EX = socket.socket.connect_ex


def refuse_the_network(address: object) -> None:
    if not isinstance(address, tuple):
        return
    host = address[0]
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise AssertionError(f"a test tried to reach {host}: tests stay on loopback")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Asked of the one process that spreads a run over others, and of no other."""
    from orchestrator_site.tests.spreading import BySharedThings  # noqa: PLC0415 (where it is not installed, nobody asks)

    return BySharedThings(config, log)


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    def connect(self: socket.socket, address: Any) -> None:
        refuse_the_network(address)
        return REAL_CONNECT(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        refuse_the_network(address)
        return REAL_CONNECT_EX(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    patch.setattr(socket.socket, "connect_ex", connect_ex)
    yield
    patch.undo()


@pytest.fixture
async def redis() -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(os.environ["REDIS_URL"])
    await connection.open()
    yield connection
    await connection.close()
