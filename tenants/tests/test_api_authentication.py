"""Who a control-plane request is from."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.errors import OrchestratorError
from tenants import keys
from tenants.actions.api_keys import create_api_key, revoke_api_key
from tenants.actions.tenants import set_tenant_state
from tenants.door import platform_scope
from tenants.key_use import KeyUse
from tenants.models import ApiKey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tenants.tests.urls")]


def answer_error(error, context):
    """A stand-in for the site's: status and code, nothing else."""
    if isinstance(error, OrchestratorError):
        return Response({"code": error.code}, status=error.status)
    return exception_handler(error, context)


@pytest.fixture(autouse=True)
def site(settings):
    settings.PUBLIC_SCHEMA_URLCONF = settings.ROOT_URLCONF = "tenants.tests.urls"
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "EXCEPTION_HANDLER": "tenants.tests.test_api_authentication.answer_error",
    }


def ask(headers, host="localhost"):
    answer = Client(headers={"host": host, **headers}).get("/v1/me")
    return answer.status_code, answer.json()


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def test_a_key_says_who_calls(cast):
    expected = (200, {"tenant": cast.acme.tenant.slug, "scopes": ["completions:write", "models:read", "usage:read"]})
    assert ask(bearer(cast.acme.key)) == expected
    assert ask({"x-api-key": cast.acme.key}) == expected
    assert ask(bearer(cast.acme.key), cast.acme.host) == expected
    assert ask(bearer(cast.acme.key), "192.0.2.7:8000") == expected


def test_no_key_is_401():
    assert ask({})[0] == 401
    assert ask({"Authorization": "Basic eDp5"})[0] == 401
    assert ask({"Authorization": "Bearer ", "x-api-key": " "})[0] == 401


def test_two_keys_are_400_however_they_are_given(cast):
    both = {**bearer(cast.acme.key), "x-api-key": cast.globex.key}
    for headers in (both, bearer(f"{cast.acme.key},Bearer {cast.globex.key}"), {"x-api-key": f"{cast.acme.key},x"}):
        assert ask(headers) == (400, {"code": "invalid_request"})
    assert ask({**bearer(cast.acme.key), "x-api-key": cast.acme.key})[0] == 200


def test_a_key_of_nobody_is_401(cast):
    forged = keys.ParsedKey(cast.acme.key_id, keys.generate().secret).text
    for text in ("nonsense", keys.generate().text, forged, cast.acme.key[:-1] + "!"):
        assert ask(bearer(text)) == (401, {"code": "invalid_api_key"})


def test_revoked_and_expired_keys_are_401(make_tenant):
    made = make_tenant()
    expiring = create_api_key(tenant=made.tenant, name="short", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert ask(bearer(made.key))[0] == ask(bearer(expiring.text))[0] == 200
    revoke_api_key(tenant=made.tenant, key_id=made.key_id)
    with platform_scope():
        ApiKey.objects.filter(id=expiring.id).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert ask(bearer(made.key))[0] == ask(bearer(expiring.text))[0] == 401


def test_a_suspended_tenant_is_403_and_a_read_only_one_may_read(make_tenant):
    made = make_tenant()
    set_tenant_state(tenant=made.tenant, state="read_only")
    assert ask(bearer(made.key))[0] == 200
    set_tenant_state(tenant=made.tenant, state="suspended")
    assert ask(bearer(made.key)) == (403, {"code": "tenant_suspended"})


def test_a_key_on_another_tenants_host_is_403(cast):
    assert ask(bearer(cast.acme.key), cast.globex.host) == (403, {"code": "wrong_host"})


def last_use(made):
    with platform_scope():
        return ApiKey.objects.get(id=made.key_uuid).last_used_at


def test_last_use_is_written_at_most_once_a_minute(make_tenant):
    made = make_tenant()
    assert last_use(made) is None
    ask(bearer(made.key))
    first = last_use(made)
    assert first is not None
    ask(bearer(made.key))
    assert last_use(made) == first
    with platform_scope():
        ApiKey.objects.filter(id=made.key_uuid).update(last_used_at=first - timedelta(minutes=2))
    ask(bearer(made.key))
    assert last_use(made) > first


def test_gathered_uses_are_written_in_one_go_and_never_backwards(make_tenant):
    made, other = make_tenant(), make_tenant()
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    use = KeyUse()
    for key in (made, other):
        use.note(key.key_uuid, early)
    use.note(made.key_uuid, late)
    assert use.flush() == 2
    assert use.flush() == 0
    use.note(made.key_uuid, early)
    use.flush()
    assert (last_use(made), last_use(other)) == (late, early)


def test_uses_that_could_not_be_written_are_kept(make_tenant, monkeypatch):
    made = make_tenant()
    use = KeyUse()
    use.note(made.key_uuid, datetime(2026, 1, 1, tzinfo=UTC))

    def fail(noted):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("tenants.key_use.write", fail)
        with pytest.raises(ConnectionError):
            use.flush()
    assert use.flush() == 1
    assert last_use(made) is not None
