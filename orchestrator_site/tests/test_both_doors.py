"""A key is answered alike where completions come in and at the control plane: status, code and words."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator_site.tests.asgi_caller import ask, front, opened
from tenants.actions.api_keys import create_api_key, revoke_api_key
from tenants.actions.tenants import set_tenant_state
from tenants.door import platform_scope
from tenants.keys import generate, parse
from tenants.models import ApiKey

pytestmark = pytest.mark.django_db(transaction=True)

EDGE, CONTROL_PLANE = "/v1/models", "/v1/usage"
SCOPES = {EDGE: "models:read", CONTROL_PLANE: "usage:read"}
UNKNOWN = (401, "invalid_api_key", "Incorrect API key provided.")
MISSING = (401, "missing_api_key", "No API key was given. Send it as `Authorization: Bearer <key>` or as `x-api-key`.")


@pytest.fixture
async def doors():
    async with opened(front()) as application:
        yield application


@pytest.fixture(params=[EDGE, CONTROL_PLANE])
def refusal(request, doors):
    """What a door says to the headers: (status, code, message), or the status alone."""

    async def knock(headers, host="localhost"):
        answered = await ask(doors, request.param, headers=headers, host=host)
        if answered.status == 200:
            return 200
        assert answered.headers.get("www-authenticate") == ("Bearer" if answered.status == 401 else None)
        error = answered.json()["error"]
        return answered.status, error["code"], error["message"].replace(SCOPES[request.param], "<scope>")

    return knock


def bearer(text):
    return {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, MISSING),
        ({"authorization": "Basic eDp5"}, MISSING),
        ({"authorization": "Bearer "}, MISSING),
        ({"x-api-key": " "}, MISSING),
        (bearer("nonsense"), UNKNOWN),
        (bearer("ключ"), UNKNOWN),
        ({"x-api-key": generate().text}, UNKNOWN),
        (bearer("a,Bearer b"), (400, "invalid_request", "The authorization header was given more than once.")),
        ({"x-api-key": "a,b"}, (400, "invalid_request", "The x-api-key header was given more than once.")),
        (
            {**bearer("a"), "x-api-key": "b"},
            (400, "invalid_request", "Two different API keys were given, in Authorization and in x-api-key."),
        ),
    ],
)
async def test_what_is_nobodys_key(refusal, headers, expected):
    assert await refusal(headers) == expected


async def test_a_key_with_another_secret_is_unknown(refusal, cast):
    assert await refusal(bearer(cast.acme.key)) == 200
    assert await refusal({"x-api-key": f" {cast.acme.key} "}) == 200
    assert await refusal(bearer(replace(parse(cast.acme.key), secret=generate().secret).text)) == UNKNOWN


async def test_a_revoked_key_is_unknown_at_once(refusal, make_tenant):
    made = await asyncio.to_thread(make_tenant)
    assert await refusal(bearer(made.key)) == 200
    await asyncio.to_thread(revoke_api_key, tenant=made.tenant, key_id=made.key_id)
    assert await refusal(bearer(made.key)) == UNKNOWN


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(seconds=1), (401, "expired_api_key", "This API key has expired.")),
        (timedelta(days=29), (401, "expired_api_key", "This API key has expired.")),
        (timedelta(days=31), UNKNOWN),
    ],
)
async def test_that_a_key_has_expired_is_told_for_a_while_and_to_its_holder_alone(refusal, make_tenant, ago, expected):
    made = await asyncio.to_thread(make_tenant)

    def expire():
        with platform_scope():
            ApiKey.objects.filter(id=made.key_uuid).update(expires_at=datetime.now(UTC) - ago)

    await asyncio.to_thread(expire)
    assert await refusal(bearer(made.key)) == expected
    assert await refusal(bearer(replace(parse(made.key), secret=generate().secret).text)) == UNKNOWN


async def test_a_suspended_tenant_is_refused_and_a_read_only_one_may_look(refusal, make_tenant):
    made = await asyncio.to_thread(make_tenant)
    await asyncio.to_thread(set_tenant_state, tenant=made.tenant, state="read_only")
    assert await refusal(bearer(made.key)) == 200
    await asyncio.to_thread(set_tenant_state, tenant=made.tenant, state="suspended")
    assert await refusal(bearer(made.key)) == (403, "tenant_suspended", "This tenant is suspended.")


async def test_a_missing_scope_is_named(refusal, make_tenant):
    made = await asyncio.to_thread(make_tenant)
    key = await asyncio.to_thread(
        create_api_key, tenant=made.tenant, name="writer", scopes_granted=["completions:write"]
    )
    assert await refusal(bearer(key.text)) == (403, "insufficient_scope", "This API key lacks the scope <scope>.")


async def test_a_key_stays_on_its_host(refusal, cast):
    expected = (403, "wrong_host", "This API key belongs to another host.")
    assert await refusal(bearer(cast.acme.key), cast.acme.host) == 200
    assert await refusal(bearer(cast.acme.key), cast.globex.host) == expected
