"""The gateway's store of responses through the wiring."""

import asyncio

import pytest

from common.errors import NotFound, Unavailable
from common.ids import new_id
from gateway.ports import ResponseStore
from orchestrator_site.gateway_wiring.responses import PostgresResponses
from providers.wire.responses.history import StoredResponse
from tenants.identity import TenantRef

pytestmark = pytest.mark.django_db(transaction=True)
STORE: ResponseStore = PostgresResponses()


def fresh() -> StoredResponse:
    return StoredResponse(id=f"resp_{new_id().hex}", items=b"[]", response=b"{}")


async def test_responses_are_stored_found_and_deleted_for_one_tenant(cast):
    acme, globex, stored = cast.acme, cast.globex, fresh()
    await STORE.store(acme.tenant, stored, api_key_id=acme.key_uuid, user_id=cast.alice.id)
    assert await STORE.find(acme.tenant, stored.id) == stored
    for attempt in (STORE.find, STORE.delete):
        with pytest.raises(NotFound):
            await attempt(globex.tenant, stored.id)
    await STORE.delete(acme.tenant, stored.id)
    with pytest.raises(NotFound):
        await STORE.find(acme.tenant, stored.id)


async def test_many_at_once_do_not_disturb_each_other(cast):
    each = [fresh() for _ in range(20)]
    await asyncio.gather(*(STORE.store(cast.acme.tenant, one, api_key_id=None, user_id=None) for one in each))
    assert await asyncio.gather(*(STORE.find(cast.acme.tenant, one.id) for one in each)) == each


async def test_what_cannot_be_reached_is_unavailable():
    nowhere = TenantRef(id=new_id(), slug="nowhere", schema_name="t_nowhere")
    for attempt in (
        STORE.store(nowhere, fresh(), api_key_id=None, user_id=None),
        STORE.find(nowhere, fresh().id),
        STORE.delete(nowhere, fresh().id),
    ):
        with pytest.raises(Unavailable) as caught:
            await attempt
        assert "nowhere" not in caught.value.message
