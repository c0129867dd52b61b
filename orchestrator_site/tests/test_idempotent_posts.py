"""A POST of the control plane with an idempotency-key is done once, through Django as it is served."""

import asyncio
import json
import secrets

import pytest
from django.http import HttpResponse
from django.test import Client

from billing.idempotency import claims, store
from common.ids import new_id
from orchestrator_site.idempotent_posts import answer_of
from orchestrator_site.tests.asgi_caller import ask, front, opened
from providers.models import Route
from tenants.actions.api_keys import create_api_key
from tenants.door import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


def route(name):
    return {"name": name, "targets": ["openai/gpt-4o"]}


def named():
    return {"idempotency-key": secrets.token_hex(8)}


def key_of(tenant):
    granted = ["providers:read", "providers:write"]
    return create_api_key(tenant=tenant.tenant, name="builder", scopes_granted=granted).text


@pytest.fixture
def acme(cast):
    return key_of(cast.acme)


def post(key, body, headers, path="/v1/routes"):
    sent = {"authorization": f"Bearer {key}", **headers}
    return Client().post(path, json.dumps(body), "application/json", headers=sent)


def fresh_name():
    return f"once-{secrets.token_hex(4)}"


def test_a_post_that_is_sent_again_gets_the_first_answer(acme):
    headers, body = named(), route(fresh_name())
    first, second = (post(acme, body, headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers[claims.ORIGINAL]
    assert "idempotent-replayed" not in first.headers
    assert post(acme, body, {}).status_code == 409


def test_another_body_or_address_with_the_same_key_is_refused(acme):
    headers = named()
    post(acme, route(fresh_name()), headers)
    other_body = post(acme, route(fresh_name()), headers)
    other_place = post(acme, {}, headers, path="/v1/feedback")
    for refused in (other_body, other_place):
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "idempotency_key_reused")


def test_nobody_gets_what_another_key_was_answered(cast, acme):
    headers, body = named(), route(fresh_name())
    assert post(acme, body, headers).status_code == 201
    assert post(key_of(cast.globex), body, headers).status_code == 201
    assert post(key_of(cast.acme), body, headers).status_code == 409
    assert post(cast.acme.key, body, headers).status_code == 403
    assert post("sk-nobody", body, headers).status_code == 401


def test_a_refusal_of_the_moment_is_asked_again_and_a_wrong_body_is_not(cast, acme):
    taken, again, wrong = fresh_name(), named(), named()
    post(acme, route(taken), {})
    assert post(acme, route(taken), again).status_code == 409
    with tenant_scope(cast.acme.tenant):
        Route.objects.filter(name=taken).delete()
    assert post(acme, route(taken), again).status_code == 201
    first, second = (post(acme, {"name": 5}, wrong) for _ in range(2))
    assert (first.status_code, second.content) == (400, first.content)
    assert second.headers["idempotent-replayed"] == "true"


def test_a_key_that_is_none_is_refused_by_name(acme):
    refused = post(acme, route(fresh_name()), {"idempotency-key": "two words"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "idempotency-key")


async def test_many_at_once_make_one(cast, acme):
    name, key = fresh_name(), named()
    body = json.dumps(route(name)).encode()
    length = {"content-type": "application/json", "content-length": str(len(body))}
    headers = {"authorization": f"Bearer {acme}", **length, **key}
    async with opened(front()) as application:
        sending = (
            ask(
                application,
                "/v1/routes",
                method="POST",
                body=body,
                host=cast.acme.host,
                headers=headers,
            )
            for _ in range(20)
        )
        answers = await asyncio.gather(*sending)
    assert {each.status for each in answers} == {201}, answers[0]
    assert len({each.body for each in answers}) == 1
    assert sum("idempotent-replayed" in each.headers for each in answers) == 19
    first = next(each for each in answers if "idempotent-replayed" not in each.headers)
    originals = {each.headers[claims.ORIGINAL] for each in answers if claims.ORIGINAL in each.headers}
    assert originals == {first.headers["x-request-id"]}


@pytest.mark.parametrize(("said", "kept"), [({}, b"once"), ({"cache-control": "no-store"}, None)])
def test_a_secret_that_is_told_once_is_not_kept(said, kept):
    claim = claims.Claim(new_id(), b"", new_id())
    assert answer_of(claim, HttpResponse(b"once", headers=said)).body == kept


async def test_a_post_whose_caller_leaves_is_done_and_its_answer_kept(acme):
    """At once after the body, so that Django gives the request up while it is being done."""
    name = fresh_name()
    body = json.dumps(route(name)).encode()
    length = {"content-type": "application/json", "content-length": str(len(body))}
    headers = {"authorization": f"Bearer {acme}", **length, **named()}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/routes",
        "raw_path": b"/v1/routes",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    begun = asyncio.Event()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        message = next(messages, None)
        if message is None:
            await begun.wait()
        return message or {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError("nobody is there to be answered")

    def claimed(*, tenant, claim, lease):
        found = claim_once(tenant=tenant, claim=claim, lease=lease)
        loop.call_soon_threadsafe(begun.set)
        return found

    loop, claim_once = asyncio.get_running_loop(), store.claim_once
    async with opened(front()) as application:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "claim_once", claimed)
            await asyncio.wait_for(application(scope, receive, send), 30)
        again = await ask(application, "/v1/routes", method="POST", body=body, headers=headers)
    assert (again.status, again.headers.get("idempotent-replayed")) == (201, "true")
