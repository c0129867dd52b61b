"""Stored responses are found by the tenant that stored them, for thirty days."""

from datetime import UTC, datetime, timedelta

import pytest

from chat import models
from chat.responses import KEPT_FOR, delete_response, find_response, store_response
from chat.tasks import purge
from common.errors import NotFound
from common.ids import new_id
from providers.wire.responses.history import StoredResponse
from tenants.door import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


def store(owner, response=b'{"output": []}'):
    stored = StoredResponse(id=f"resp_{new_id().hex}", items=b'[{"role": "user"}]', response=response)
    store_response(tenant=owner.tenant, stored=stored, api_key_id=owner.key_uuid, user_id=None)
    return stored


def test_what_is_stored_is_found_again(cast):
    stored = store(cast.acme, response=b'{"text": "\\u0000 \\ud800 \xc3\xbc"}')
    assert find_response(tenant=cast.acme.tenant, response_id=stored.id) == stored


def test_who_stored_it_is_noted_and_how_long_it_is_kept(cast):
    person = cast.alice.id
    stored = StoredResponse(id=f"resp_{new_id().hex}", items=b"[]", response=b"{}")
    store_response(tenant=cast.acme.tenant, stored=stored, api_key_id=cast.acme.key_uuid, user_id=person)
    with tenant_scope(cast.acme.tenant):
        row = models.StoredResponse.objects.get(id=stored.id)
    assert (row.api_key_id, row.user_id) == (cast.acme.key_uuid, person)
    assert row.expires_at - row.created_at == KEPT_FOR == timedelta(days=30)


def test_charlie_finds_nothing_of_acmes_and_deletes_nothing(cast):
    stored = store(cast.acme)
    for attempt in (find_response, delete_response):
        with pytest.raises(NotFound) as caught:
            attempt(tenant=cast.globex.tenant, response_id=stored.id)
        assert caught.value.status == 404
    assert find_response(tenant=cast.acme.tenant, response_id=stored.id) == stored


def test_charlie_may_store_under_the_same_id_and_each_finds_their_own(cast):
    stored = store(cast.acme)
    other = StoredResponse(id=stored.id, items=b"[]", response=b'{"of": "globex"}')
    store_response(tenant=cast.globex.tenant, stored=other, api_key_id=None, user_id=None)
    assert find_response(tenant=cast.acme.tenant, response_id=stored.id) == stored
    assert find_response(tenant=cast.globex.tenant, response_id=stored.id) == other


def test_what_is_deleted_is_gone(cast):
    stored = store(cast.acme)
    delete_response(tenant=cast.acme.tenant, response_id=stored.id)
    for attempt in (find_response, delete_response):
        with pytest.raises(NotFound):
            attempt(tenant=cast.acme.tenant, response_id=stored.id)


def test_what_has_expired_is_gone(cast):
    stored = store(cast.acme)
    with tenant_scope(cast.acme.tenant):
        models.StoredResponse.objects.filter(id=stored.id).update(expires_at=datetime.now(UTC))
    for attempt in (find_response, delete_response):
        with pytest.raises(NotFound):
            attempt(tenant=cast.acme.tenant, response_id=stored.id)


def test_storing_the_same_again_changes_nothing(cast):
    stored = store(cast.acme)
    again = StoredResponse(id=stored.id, items=b"[]", response=b"{}")
    store_response(tenant=cast.acme.tenant, stored=again, api_key_id=None, user_id=None)
    assert find_response(tenant=cast.acme.tenant, response_id=stored.id) == stored


@pytest.mark.parametrize("wrong", ["", "resp_", "resp_\0", "resp_" + "f" * 31, "RESP_" + "f" * 32, "\ud800", "é" * 999])
def test_what_is_no_id_is_not_found(cast, wrong):
    for attempt in (find_response, delete_response):
        with pytest.raises(NotFound) as caught:
            attempt(tenant=cast.acme.tenant, response_id=wrong)
        caught.value.message.encode("ascii")


def test_what_has_expired_is_deleted_everywhere_and_the_rest_stays(cast):
    purge()
    old, fresh, charlies = store(cast.acme), store(cast.acme), store(cast.globex)
    for owner, stored in ((cast.acme, old), (cast.globex, charlies)):
        with tenant_scope(owner.tenant):
            models.StoredResponse.objects.filter(id=stored.id).update(expires_at=datetime.now(UTC))
    assert purge() == 2
    assert purge() == 0
    assert find_response(tenant=cast.acme.tenant, response_id=fresh.id) == fresh
    with tenant_scope(cast.acme.tenant):
        assert not models.StoredResponse.objects.filter(id=old.id).exists()
