"""The stage: a tenant of the test's own, two providers of its own at an upstream that breaks on request, a gateway."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from django.db import connection
from psycopg.rows import dict_row

from benchmarks.processes import start_upstream
from gateway.tests.stage import Gateway, eventually, listening, make_services
from providers.actions.credentials import set_credential
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from providers.actions.routes import create_route
from tenants import database_threads
from tenants.door import platform_scope
from tenants.tests.cast import CastTenant, new_tenant

INPUT_RATE, OUTPUT_RATE = 2_000_000_000, 8_000_000_000
FAULTS = ("mock-500", "mock-429", "mock-401", "mock-400", "mock-reset", "mock-garbage", "mock-silent-seconds-30")
# As any of the SDKs takes them.
MESSAGES: Any = [{"role": "user", "content": "Tell me something."}]


@dataclass(frozen=True, slots=True)
class Upstream:
    url: str
    journal: Path

    def lines(self, request_id: str, event: str) -> list[dict[str, Any]]:
        """What the upstream itself has on record of a request."""
        rows = map(json.loads, self.journal.read_text().splitlines())
        return [row for row in rows if row["request_id"] == request_id and row["event"] == event]


@pytest.fixture(scope="session")
def upstream(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upstream")
    url, process = start_upstream(folder / "log", journal=folder / "journal")
    yield Upstream(url, folder / "journal")
    process.stop()


@pytest.fixture(scope="session")
def tenant(django_db_setup, upstream, django_db_blocker):
    """A tenant whose own providers `mock` and `spare` are at the upstream. Not to be changed."""
    return equipped(upstream, django_db_blocker)


@pytest.fixture
def own_tenant(django_db_setup, upstream, django_db_blocker):
    """The same for a test that changes it."""
    return equipped(upstream, django_db_blocker)


def equipped(upstream: Upstream, blocker: Any) -> CastTenant:
    with blocker.unblock():
        made = new_tenant("stage")
        equip(made.tenant, upstream.url)
    return made


def equip(owner: Any, url: str) -> None:
    for name in ("mock", "spare"):
        provider = create_provider(
            owner=owner, name=name, base_url=f"{url}/v1", first_byte_seconds=1.0, between_chunks_seconds=1.0
        )
        set_credential(owner=owner, provider_id=provider, secret="sk-upstream-secret")
        offers = [
            ModelOffer(name=each, input_nano_per_mtok=INPUT_RATE, output_nano_per_mtok=OUTPUT_RATE)
            for each in ("plain", *FAULTS)
        ]
        offer_models(owner=owner, provider_id=provider, offers=offers)
    for fault in FAULTS:
        create_route(owner=owner, name=f"after-{fault}", targets=[f"mock/{fault}", "spare/plain"])
    create_route(owner=owner, name="hopeless", targets=["mock/mock-500", "spare/mock-429"])


@pytest.fixture(autouse=True)
def unblocked(django_db_setup, django_db_blocker):
    """The loaders run in threads of their own, whatever the test is marked with."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
async def gateway():
    async with listening(make_services()) as listens:
        yield listens


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[1, 2], ids=["one_process", "two_processes"])
async def gateways(request, django_db_setup, django_db_blocker):
    """Those of a module: they share Redis and PostgreSQL, and each has all that one process has to itself."""
    with django_db_blocker.unblock():
        async with contextlib.AsyncExitStack() as stack:
            yield [await stack.enter_async_context(listening(make_services())) for _ in range(request.param)]


@pytest.fixture(scope="session")
def stage_tenant(django_db_setup, upstream, django_db_blocker):
    """The tenant of all scenes, which fill it with models."""
    return equipped(upstream, django_db_blocker)


@pytest.fixture
def scene(stage_tenant, upstream, gateways):
    from gateway.tests.scene import Scene  # noqa: PLC0415 - which needs what is above

    return Scene(stage_tenant, upstream, gateways)


def body(**changed: Any) -> dict[str, Any]:
    """A request for `mock/plain`; `mock` is what the upstream is asked to do."""
    fields = {"model": "mock/plain", "messages": MESSAGES, **changed}
    mock = fields.pop("mock", None)
    return fields if mock is None else {**fields, "metadata": {"mock": json.dumps(mock)}}


async def settlements(gateway: Gateway, request_id: str, count: int = 1) -> list[dict[str, Any]]:
    """The settlements of a request as soon as there are `count`."""

    def look() -> list[dict[str, Any]]:
        with platform_scope():
            assert isinstance(connection.connection, psycopg.Connection)
            with connection.connection.cursor(row_factory=dict_row) as cursor:
                cursor.execute(
                    "SELECT * FROM public.billing_settlement WHERE request_id = %s ORDER BY attempt", [request_id]
                )
                return cursor.fetchall()

    rows: list[dict[str, Any]] = []

    async def enough() -> bool:
        nonlocal rows
        rows = await database_threads.run(lambda _: look(), 5)
        return len(rows) >= count

    await eventually(enough)
    assert len(rows) == count, rows
    return rows


def events(text: bytes) -> list[Any]:
    """The events of a stream, decoded; [DONE] as it is."""
    payloads = [event.removeprefix(b"data: ") for event in text.split(b"\n\n") if event]
    return [payload if payload == b"[DONE]" else json.loads(payload) for payload in payloads]
