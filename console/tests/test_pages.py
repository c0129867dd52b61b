"""Who sees what at which host."""

import pytest
from django.core import mail

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


@pytest.mark.parametrize(("state", "says"), [("read_only", "is read-only"), ("suspended", "is suspended")])
def test_the_state_of_a_tenant_is_said(client, cast, make_tenant, state, says):
    made = make_tenant()
    add_member(tenant=made.tenant, user_id=cast.alice.id, role="owner")
    set_tenant_state(tenant=made.tenant, state=state)
    sign_in(client, made.host, cast.alice)
    assert says in page(client, made.host)[1]


def test_posting_to_a_page_is_refused(client, cast):
    assert client.post("/", headers={"host": cast.acme.host}).status_code == 405
