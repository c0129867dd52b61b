"""The gateway's view of PostgreSQL through the wiring."""

import asyncio
import dataclasses

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from psycopg_pool import PoolTimeout

from common.errors import NotFound, Unavailable
from common.ids import new_id
from orchestrator_site.gateway_wiring.changes import follow_changes
from orchestrator_site.gateway_wiring.configuration import DEADLINE_SECONDS, PostgresConfiguration, read
from orchestrator_site.gateway_wiring.services import gateway_settings
from tenants.actions.tenants import change_tenant
from tenants.door import platform_scope

pytestmark = pytest.mark.django_db(transaction=True)
SOURCE = PostgresConfiguration(default_model="demo/demo-chat")


async def test_a_tenant_without_a_default_model_has_the_platforms(make_tenant):
    plain = await asyncio.to_thread(make_tenant)
    chosen = await asyncio.to_thread(make_tenant, default_model="own/model")
    assert (await SOURCE.identity(plain.tenant.id)).default_model == "demo/demo-chat"
    assert (await SOURCE.identity(chosen.tenant.id)).default_model == "own/model"


async def test_keys_hosts_and_versions_are_found(cast):
    assert await SOURCE.tenant_of_key(cast.acme.key_id) == cast.acme.tenant.id
    assert await SOURCE.tenant_of_key("nothing") is None
    assert await SOURCE.tenant_of_host(cast.globex.host) == cast.globex.tenant
    assert (await SOURCE.versions([cast.acme.tenant.id])).tenants.keys() == {cast.acme.tenant.id}
    assert cast.acme.key_id in (await SOURCE.identity(cast.acme.tenant.id)).keys
    await SOURCE.tenant_catalogue(cast.acme.tenant)
    await SOURCE.platform_catalogue()
    with pytest.raises(NotFound):
        await SOURCE.identity(new_id())


async def test_what_is_read_ends_with_its_deadline():
    def left():
        with platform_scope(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout', true), pg_sleep(0)")
            return cursor.fetchone()[0]

    shown = await read(left)
    seconds = int(shown.removesuffix("ms")) / 1000 if shown.endswith("ms") else int(shown.removesuffix("s"))
    assert 0 < seconds <= DEADLINE_SECONDS


@pytest.mark.parametrize("error", [OperationalError("hidden"), PoolTimeout("hidden"), ValueError("hidden")])
async def test_what_cannot_be_read_for_any_reason_is_unavailable(error):
    def fail():
        raise error

    with pytest.raises(Unavailable) as caught:
        await read(fail)
    assert "hidden" not in caught.value.message


async def test_a_change_is_heard_of_when_it_is_committed(make_tenant):
    made = await asyncio.to_thread(make_tenant)
    heard = asyncio.Event()
    listening = asyncio.Event()

    async def poll():
        heard.set()

    follower = asyncio.create_task(follow_changes(settings.ENVIRONMENT.database_url, poll))
    try:
        # Until the listener is there an announcement is nobody's: announce until one is heard.
        for number in range(50):
            await asyncio.to_thread(change_tenant, tenant=made.tenant, name=f"Name {number}")
            try:
                await asyncio.wait_for(heard.wait(), 0.2)
                listening.set()
                break
            except TimeoutError:
                continue
        assert listening.is_set()
    finally:
        follower.cancel()


def test_the_environment_reaches_the_gateway():
    environment = dataclasses.replace(
        settings.ENVIRONMENT, max_requests_per_min=7, request_timeout_seconds=8.0, stream_timeout=9.0, max_body_bytes=10
    )
    made = gateway_settings(environment)
    assert (made.requests_per_minute, made.request_timeout, made.stream_timeout, made.most_body_bytes) == (7, 8, 9, 10)
    assert environment.api_key_pepper not in repr(made)
