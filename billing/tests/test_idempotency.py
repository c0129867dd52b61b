"""Claims and answers of requests that are done once: whose they are, how long they last, what they say."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from billing.idempotency import store
from billing.idempotency.claims import Kept, claim_of, digest_of, is_final
from billing.models import IdempotentAnswer
from billing.tasks import purge_idempotency
from common.errors import Conflict, InvalidRequest
from common.ids import new_id
from tenants.door import platform_scope, tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
LEASE = timedelta(seconds=30)


def claim_for(member, key=b"the-same", body=b"{}", request_id=None):
    return claim_of(
        key,
        tenant_id=member.tenant.id,
        key_id=member.key_uuid,
        asked=(b"POST", b"/v1/routes", b"", body),
        content_type=b"application/json",
        request_id=request_id or new_id(),
    )


def taken(member, claim, lease=LEASE):
    return store.claim_once(tenant=member.tenant, claim=claim, lease=lease)


def answer_to(claim, body=b'{"a":1}'):
    return Kept(claim.request_id, 201, (("content-type", "application/json"),), body)


def test_what_was_kept_is_found_until_its_day_is_over(cast):
    first = claim_for(cast.acme, uuid4().bytes.hex().encode())
    again = claim_for(cast.acme, b"x")
    again = type(first)(first.id, first.digest, again.request_id)
    assert taken(cast.acme, first) == "ours"
    assert taken(cast.acme, again) == "running"
    assert store.keep_answer(tenant=cast.acme.tenant, claim=first, answer=answer_to(first))
    assert taken(cast.acme, again) == answer_to(first)
    with platform_scope(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE public.billing_idempotentanswer SET expires_at = now() - interval '1 second' WHERE id = %s",
            [first.id],
        )
    assert taken(cast.acme, again) == "ours"


def test_another_tenant_sees_no_answer_and_can_end_none(cast):
    claim = claim_for(cast.acme, uuid4().bytes.hex().encode())
    assert taken(cast.acme, claim) == "ours"
    assert not store.keep_answer(tenant=cast.globex.tenant, claim=claim, answer=answer_to(claim))
    store.release(tenant=cast.globex.tenant, claim=claim)
    with tenant_scope(cast.globex.tenant):
        assert not IdempotentAnswer.objects.filter(id=claim.id).exists()
    with tenant_scope(cast.acme.tenant):
        assert IdempotentAnswer.objects.filter(id=claim.id, status=None).exists()


def test_the_same_text_is_another_key_in_other_hands(cast):
    here, there = claim_for(cast.acme), claim_for(cast.globex)
    assert here.id != there.id
    other = claim_of(
        b"the-same",
        tenant_id=cast.acme.tenant.id,
        key_id=new_id(),
        asked=(b"POST", b"/v1/routes", b"", b"{}"),
        content_type=b"application/json",
        request_id=new_id(),
    )
    assert other.id != here.id


def test_a_lease_that_is_over_is_anothers_and_one_renewed_is_not(cast):
    lost, held = (claim_for(cast.acme, uuid4().bytes.hex().encode()) for _ in range(2))
    nothing = timedelta(seconds=-1)
    for claim in (lost, held):
        assert taken(cast.acme, claim, nothing) == "ours"
    assert store.renew(claims=[held], lease=LEASE) == 1
    for claim, found in ((lost, "ours"), (held, "running")):
        assert taken(cast.acme, type(claim)(claim.id, claim.digest, new_id())) == found
    assert store.renew(claims=[lost], lease=LEASE) == 0
    assert not store.keep_answer(tenant=cast.acme.tenant, claim=lost, answer=answer_to(lost))


def test_another_request_with_a_key_is_refused_until_the_first_is_released(cast):
    key = uuid4().bytes.hex().encode()
    first, other = claim_for(cast.acme, key), claim_for(cast.acme, key, b'{"b":2}')
    assert taken(cast.acme, first) == "ours"
    with pytest.raises(Conflict) as refused:
        taken(cast.acme, other)
    assert (refused.value.code, refused.value.param) == ("idempotency_key_reused", "idempotency-key")
    store.release(tenant=cast.acme.tenant, claim=first)
    assert taken(cast.acme, other) == "ours"


def test_the_purge_takes_what_has_expired_and_nothing_else(cast):
    old, new = (claim_for(cast.acme, uuid4().bytes.hex().encode()) for _ in range(2))
    for claim in (old, new):
        taken(cast.acme, claim)
    with platform_scope():
        connection.cursor().execute(
            "UPDATE public.billing_idempotentanswer SET expires_at = now() WHERE id = %s", [old.id]
        )
    assert purge_idempotency() >= 1
    with platform_scope():
        found = set(IdempotentAnswer.objects.filter(id__in=[old.id, new.id]).values_list("id", flat=True))
    assert found == {new.id}


@pytest.mark.parametrize("key", [b"", b"a b", b"\x7f", "é".encode(), b"a" * 256])
def test_a_key_is_1_to_255_visible_characters(cast, key):
    with pytest.raises(InvalidRequest) as refused:
        claim_for(cast.acme, key)
    assert refused.value.param == "idempotency-key"


def test_a_form_sent_again_with_another_boundary_is_the_same_request():
    def form(boundary, content):
        body = b"--%b\r\ncontent-disposition: form-data\r\n\r\n%b\r\n--%b--" % (boundary, content, boundary)
        return digest_of((b"POST", body), b'multipart/form-data; charset=utf-8; boundary="%b"' % boundary)

    assert form(b"abc", b"sound") == form(b"xyz9", b"sound")
    assert form(b"abc", b"sound") != form(b"abc", b"noise")


@pytest.mark.parametrize(
    ("status", "final"), [(200, True), (400, True), (404, True), (429, False), (402, False), (503, False)]
)
def test_only_what_would_be_answered_so_again_is_final(status, final):
    assert is_final(status) is final
