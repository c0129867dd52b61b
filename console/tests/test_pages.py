"""Who sees what at which host."""

import pytest
from django.core import mail

from common.ids import new_id
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import change_provider, create_provider, delete_provider
from tenants.actions.people import add_member
from tenants.actions.tenants import set_tenant_state

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client, host, person):
    return client.post("/accounts/login/", {"login": person.email, "password": person.password}, headers={"host": host})


def page(client, host, path="/"):
    response = client.get(path, headers={"host": host})
    return response, response.content.decode()


def test_the_landing_page_is_the_public_hosts(client):
    response, text = page(client, "localhost:8000")
    assert response.status_code == 200
    assert "http://localhost:8000/v1/chat/completions" in text
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe-inline" not in response["Content-Security-Policy"]


def test_a_visitor_is_offered_to_sign_in_and_sees_nothing_else(client, cast):
    response, text = page(client, cast.acme.host)
    assert response.status_code == 200
    assert "Sign in" in text
    assert "Usage" not in text


@pytest.mark.parametrize("member", ["alice", "bob"])
def test_members_sign_in_by_e_mail_and_see_their_tenant(client, cast, member):
    person = getattr(cast, member)
    response = sign_in(client, cast.acme.host, person)
    assert (response.status_code, response["Location"]) == (302, "/")
    response, text = page(client, cast.acme.host)
    assert response.status_code == 200
    assert "Usage in the last seven days" in text
    assert "OpenAI SDK for Python" in text
    assert text.count("<time") == 7
    assert "no-store" in response["Cache-Control"]


def test_models_that_are_for_other_plans_are_not_shown(client, cast):
    name = f"p-{new_id().hex[-12:]}"
    provider_id = create_provider(owner=None, name=name, base_url="http://h/v1")
    offer_models(owner=None, provider_id=provider_id, offers=[ModelOffer(name="m")])
    sign_in(client, cast.acme.host, cast.alice)
    assert f"{name}/m" in page(client, cast.acme.host)[1]
    change_provider(owner=None, provider_id=provider_id, offered_to_plans=["another"])
    assert f"{name}/m" not in page(client, cast.acme.host)[1]
    delete_provider(owner=None, provider_id=provider_id)


def test_a_user_of_another_tenant_finds_nothing_there(client, cast):
    sign_in(client, cast.acme.host, cast.charlie)
    response, text = page(client, cast.acme.host)
    assert response.status_code == 404
    assert "Usage" not in text
    assert cast.acme.tenant.slug not in text


def test_a_wrong_password_is_refused_without_saying_which_was_wrong(client, cast):
    for email in (cast.alice.email, "nobody@example.com"):
        response = client.post(
            "/accounts/login/", {"login": email, "password": "wrong"}, headers={"host": cast.acme.host}
        )
        assert response.status_code == 200
        assert "are not correct" in response.content.decode()


def test_the_email_is_known_in_any_case(client, cast):
    response = client.post(
        "/accounts/login/",
        {"login": cast.alice.email.upper(), "password": cast.alice.password},
        headers={"host": cast.acme.host},
    )
    assert response.status_code == 302


def test_nobody_signs_up_or_changes_their_address(client, cast):
    _, text = page(client, cast.acme.host, "/accounts/signup/")
    assert "closed" in text.lower()
    sign_in(client, cast.acme.host, cast.bob)
    for path in ("/accounts/email/", "/accounts/confirm-email/", "/accounts/confirm-email/abc/"):
        assert page(client, cast.acme.host, path)[0].status_code == 404


def test_a_password_can_be_reset_by_mail_on_ones_own_host(client, cast):
    response = client.post("/accounts/password/reset/", {"email": cast.bob.email}, headers={"host": cast.acme.host})
    assert response.status_code == 302
    (message,) = mail.outbox
    assert f"http://{cast.acme.host}/accounts/password/reset/key/" in message.body


def test_sign_out_needs_a_form(client, cast):
    sign_in(client, cast.acme.host, cast.alice)
    assert page(client, cast.acme.host, "/accounts/logout/")[0].status_code == 200
    assert "Usage" in page(client, cast.acme.host)[1]
    client.post("/accounts/logout/", headers={"host": cast.acme.host})
    assert "Usage" not in page(client, cast.acme.host)[1]


def test_there_are_no_accounts_on_the_public_host_and_no_admin_on_a_tenants(client, cast):
    assert page(client, "localhost", "/accounts/login/")[0].status_code == 404
    assert page(client, cast.acme.host, "/admin/")[0].status_code == 404


@pytest.fixture
def in_state(cast, make_tenant):
    """A tenant of Alice's in that state."""

    def make(state):
        made = make_tenant()
        add_member(tenant=made.tenant, user_id=cast.alice.id, role="owner")
        set_tenant_state(tenant=made.tenant, state=state)
        return made

    return make


def test_a_read_only_tenant_shows_its_pages_and_says_so(client, cast, in_state):
    made = in_state("read_only")
    sign_in(client, made.host, cast.alice)
    response, text = page(client, made.host)
    assert response.status_code == 200
    assert "is read-only" in text


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/password/reset/"])
def test_a_suspended_tenant_has_one_page_that_says_so(client, cast, in_state, path):
    made = in_state("suspended")
    response, text = page(client, made.host, path)
    assert response.status_code == 403
    assert "This tenant is suspended" in text
    set_tenant_state(tenant=made.tenant, state="active")
    assert page(client, made.host, path)[0].status_code == 200


def test_a_suspended_tenants_member_who_was_signed_in_sees_nothing_more(client, cast, in_state):
    made = in_state("read_only")
    sign_in(client, made.host, cast.alice)
    set_tenant_state(tenant=made.tenant, state="suspended")
    response, text = page(client, made.host)
    assert response.status_code == 403
    assert "Usage" not in text
    assert page(client, made.host, "/docs")[0].status_code == 200


@pytest.fixture
def redis_away(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }


def test_signing_out_works_without_redis_and_for_good(client, cast, request):
    sign_in(client, cast.acme.host, cast.alice)
    kept = client.cookies["sessionid"].value
    request.getfixturevalue("redis_away")
    assert "Usage" in page(client, cast.acme.host)[1]
    assert client.post("/accounts/logout/", headers={"host": cast.acme.host}).status_code == 302
    client.cookies["sessionid"] = kept
    assert "Usage" not in page(client, cast.acme.host)[1]


@pytest.mark.parametrize("host", ["acme", "localhost"])
def test_nobody_signs_in_while_nothing_counts_the_attempts(client, cast, redis_away, host):
    client.raise_request_exception = False
    if host == "acme":
        response = sign_in(client, cast.acme.host, cast.alice)
    else:
        form = {"username": cast.alice.email, "password": cast.alice.password}
        response = client.post("/admin/login/", form, headers={"host": host})
    assert response.status_code == 503
    assert response["Retry-After"] == "1"


@pytest.mark.parametrize(("host", "path"), [("acme", "/"), ("acme", "/accounts/login/"), ("localhost", "/admin/")])
def test_a_cookie_that_is_no_session_key_is_nobodys(client, cast, host, path):
    host = cast.acme.host if host == "acme" else host
    response = client.get(path, headers={"host": host, "cookie": r'sessionid="aaaaaaaaaa\000b"'})
    assert response.status_code in (200, 302)


@pytest.mark.parametrize("path", ["/?q=%00", "/%00", "/admin/tenants/tenant/?state=%00", "/static/%00.css"])
@pytest.mark.parametrize("host", ["acme", "localhost"])
def test_a_nul_in_an_address_makes_no_sense(client, cast, host, path):
    response, text = page(client, cast.acme.host if host == "acme" else host, path)
    assert response.status_code == 400
    assert "makes no sense" in text


def test_guesses_are_counted_for_an_account_whatever_host_they_name(client, make_tenant):
    email = f"guessed-{make_tenant().tenant.slug}@example.com"

    def guess(number):
        # Behind a proxy of many addresses, so that only the account is counted.
        return client.post(
            "/accounts/login/",
            {"login": email, "password": "wrong"},
            headers={"host": f"{make_tenant().host}:{number}"},
            REMOTE_ADDR=f"203.0.113.{number}",
        ).content.decode()

    shown = [guess(number) for number in range(1, 8)]
    assert "are not correct" in shown[0]
    assert "Too many failed" in shown[-1]


def test_posting_to_a_page_is_refused(client, cast):
    assert client.post("/", headers={"host": cast.acme.host}).status_code == 405
