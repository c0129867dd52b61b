"""The operators' pages, through the real admin site and the real database."""

import pytest
from django.contrib.admin.sites import AdminSite
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import RequestFactory

from common.ids import new_id
from providers.actions.providers import create_provider, delete_provider
from providers.admin import CredentialAdmin, OfferedModelAdmin, ProviderAdmin, RouteAdmin
from providers.models import Credential, OfferedModel, Provider, Route
from providers.snapshots import load_platform_catalogue
from tenants.actions.people import create_user
from tenants.door import platform_scope
from tenants.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator():
    user_id = create_user(email=f"op-{new_id().hex[-12:]}@example.com", password="correct horse battery staple")
    with platform_scope():
        user = User.objects.get(id=user_id)
    user.is_staff = user.is_superuser = True
    return user


@pytest.fixture
def provider():
    name = f"adm-{new_id().hex[-12:]}"
    provider_id = create_provider(owner=None, name=name, base_url="http://h/v1")
    yield name, provider_id
    delete_provider(owner=None, provider_id=provider_id)


def visit(kind, model, operator, row_id=None, **values):
    """The page of a row, or the one that adds; posted when there are values."""
    request = RequestFactory().post("/", values) if values else RequestFactory().get("/")
    request.user = operator
    request.session = {}
    request._messages = FallbackStorage(request)
    request._dont_enforce_csrf_checks = True
    with platform_scope():
        site = AdminSite()
        for each_model, each in (
            (Provider, ProviderAdmin),
            (Credential, CredentialAdmin),
            (OfferedModel, OfferedModelAdmin),
        ):
            site.register(each_model, each)
        page = kind(model, site)
        response = page.changeform_view(request, None if row_id is None else str(row_id))
        if hasattr(response, "render"):
            response.render()
        told = [str(message) for message in request._messages]
        return response, told


def test_a_credential_is_set_and_never_shown(provider, operator):
    name, provider_id = provider
    response, _ = visit(CredentialAdmin, Credential, operator, provider=provider_id, label="main", secret="sk-by-hand")
    assert response.status_code == 302, response.content.decode()
    with platform_scope():
        row_id = Credential.objects.get(provider_id=provider_id).id
    page, _ = visit(CredentialAdmin, Credential, operator, row_id=row_id)
    text = page.content.decode()
    assert "main" in text
    assert "sk-by-hand" not in text
    assert "secret" not in text.lower().replace("csrf", "")

    visit(
        OfferedModelAdmin, OfferedModel, operator, provider=provider_id, name="m", capabilities="[]", nano_per_request=0
    )
    target = load_platform_catalogue().offers[f"{name}/m"].target
    assert dict(target.headers)["authorization"].reveal() == "Bearer sk-by-hand"

    response, _ = visit(CredentialAdmin, Credential, operator, provider=provider_id, label="main", secret="sk-again")
    assert response.status_code == 302
    target = load_platform_catalogue().offers[f"{name}/m"].target
    assert dict(target.headers)["authorization"].reveal() == "Bearer sk-again"


def test_an_unfit_secret_is_refused_on_the_page(provider, operator):
    _, provider_id = provider
    response, told = visit(CredentialAdmin, Credential, operator, provider=provider_id, label="x", secret="two words")
    assert response.status_code == 302
    assert any("Secret" in message for message in told)
    with platform_scope():
        assert not Credential.objects.filter(provider_id=provider_id).exists()


def test_a_model_with_half_a_price_is_refused(provider, operator):
    _, provider_id = provider
    values = {"provider": provider_id, "name": "m", "capabilities": "[]", "nano_per_request": 0}
    _, told = visit(OfferedModelAdmin, OfferedModel, operator, input_nano_per_mtok=5, **values)
    with platform_scope():
        assert not OfferedModel.objects.filter(provider_id=provider_id).exists()


def test_a_route_is_a_line_a_target(provider, operator):
    name, _ = provider
    route = f"r-{new_id().hex[-12:]}"
    response, _ = visit(RouteAdmin, Route, operator, name=route, targets=f"{name}/m\n openai/x \n", enabled="on")
    assert response.status_code == 302, response.content.decode()
    assert load_platform_catalogue().routes[route].targets == (f"{name}/m", "openai/x")
    with platform_scope():
        row = Route.objects.get(name=route)
    page, _ = visit(RouteAdmin, Route, operator, row_id=row.id)
    assert f"{name}/m\nopenai/x" in page.content.decode()
    visit(RouteAdmin, Route, operator, row_id=row.id, name=route, targets="openai/x", enabled="on")
    assert load_platform_catalogue().routes[route].targets == ("openai/x",)
    with platform_scope():
        Route.objects.get(name=route).delete()


def test_a_provider_is_switched_off(provider, operator):
    name, provider_id = provider
    with platform_scope():
        row = Provider.objects.get(id=provider_id)
    kept = {
        "name": name,
        "wire": row.wire,
        "base_url": row.base_url,
        "headers": "{}",
        **{
            field: getattr(row, field)
            for field in ("connect_seconds", "first_byte_seconds", "between_chunks_seconds", "total_seconds")
        },
    }
    response, _ = visit(ProviderAdmin, Provider, operator, row_id=provider_id, **kept)
    assert response.status_code == 302, response.content.decode()
    with platform_scope():
        assert not Provider.objects.get(id=provider_id).enabled
