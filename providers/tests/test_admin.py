"""The operators' pages, through the real admin site and the real database."""

import html

import pytest
from django.test import override_settings
from django.urls import reverse

from common.ids import new_id
from providers.actions.providers import create_provider, delete_provider
from providers.actions.routes import delete_route
from providers.models import Credential, OfferedModel, Provider, Route
from providers.snapshots import load_platform_catalogue
from tenants.door import platform_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tenants.tests.urls")]

MODELS = (Credential, OfferedModel, Provider, Route)


@pytest.fixture(autouse=True)
def these_urls():
    with override_settings(PUBLIC_SCHEMA_URLCONF="tenants.tests.urls"):
        yield


@pytest.fixture
def provider():
    name = f"adm-{new_id().hex[-12:]}"
    provider_id = create_provider(owner=None, name=name, base_url="http://h/v1")
    yield name, provider_id
    delete_provider(owner=None, provider_id=provider_id)


def visit(model, operator, row_id=None, **values):
    """The page of a row, or the one that adds; posted when there are values. The answer, and what was told."""
    page, args = ("add", ()) if row_id is None else ("change", (row_id,))
    url = reverse(f"admin:providers_{model._meta.model_name}_{page}", args=args)
    answer = operator.post(url, values) if values else operator.get(url)
    told = (
        [str(message) for message in operator.get(answer.url).context["messages"]] if answer.status_code == 302 else []
    )
    return answer, told


@pytest.mark.parametrize("model", MODELS)
def test_pages_answer(operator, provider, model):
    for page in ("changelist", "add"):
        assert operator.get(reverse(f"admin:providers_{model._meta.model_name}_{page}")).status_code == 200
    answer = operator.get(reverse(f"admin:providers_{model._meta.model_name}_changelist"), {"q": "adm"})
    assert answer.status_code == 200


def test_a_credential_is_set_and_never_shown(provider, operator):
    name, provider_id = provider
    response, _ = visit(Credential, operator, provider=provider_id, label="main", new_secret="sk-by-hand")
    assert response.status_code == 302, response.content.decode()
    with platform_scope():
        row_id = Credential.objects.get(provider_id=provider_id).id
    page, _ = visit(Credential, operator, row_id=row_id)
    text = page.content.decode()
    assert "main" in text
    assert "sk-by-hand" not in text
    assert "secret" not in text.lower().replace("csrf", "")

    visit(OfferedModel, operator, provider=provider_id, name="m", capabilities="[]", nano_per_request=0, enabled="on")
    target = load_platform_catalogue().offers[f"{name}/m"].target
    assert dict(target.headers)["authorization"].reveal() == "Bearer sk-by-hand"

    response, _ = visit(Credential, operator, provider=provider_id, label="main", new_secret="sk-again")
    assert response.status_code == 302
    target = load_platform_catalogue().offers[f"{name}/m"].target
    assert dict(target.headers)["authorization"].reveal() == "Bearer sk-again"


def test_a_credential_is_put_before_another_and_keeps_its_secret(provider, operator):
    name, provider_id = provider
    visit(OfferedModel, operator, provider=provider_id, name="m", capabilities="[]", nano_per_request=0, enabled="on")
    visit(Credential, operator, provider=provider_id, label="first", new_secret="sk-first")
    visit(Credential, operator, provider=provider_id, label="second", new_secret="sk-second")
    with platform_scope():
        row_id = Credential.objects.get(provider_id=provider_id, label="first").id
    response, _ = visit(
        Credential, operator, row_id=row_id, label="first", position=5, requests_per_minute=60, enabled="on"
    )
    assert response.status_code == 302, response.content.decode()
    target = load_platform_catalogue().offers[f"{name}/m"].target
    assert dict(target.headers)["authorization"].reveal() == "Bearer sk-second"
    with platform_scope():
        changed = Credential.objects.get(id=row_id)
    assert (changed.position, changed.requests_per_minute, changed.enabled) == (5, 60, True)


def test_an_unfit_secret_is_refused_on_the_page(provider, operator):
    _, provider_id = provider
    response, told = visit(Credential, operator, provider=provider_id, label="x", new_secret="two words")
    assert response.status_code == 302
    assert any("Secret" in message for message in told)
    with platform_scope():
        assert not Credential.objects.filter(provider_id=provider_id).exists()


def test_a_model_with_half_a_price_is_refused(provider, operator):
    _, provider_id = provider
    values = {"provider": provider_id, "name": "m", "capabilities": "[]", "nano_per_request": 0}
    answer, _ = visit(OfferedModel, operator, input_nano_per_mtok=5, **values)
    assert answer.status_code == 200
    assert "Give the rate of output tokens too" in answer.content.decode()
    with platform_scope():
        assert not OfferedModel.objects.filter(provider_id=provider_id).exists()


def targets_of(route: str) -> tuple[str, ...]:
    return tuple(rule.target for rule in load_platform_catalogue().routes[route].rules)


def test_a_route_is_a_line_a_target(provider, operator):
    name, _ = provider
    route = f"r-{new_id().hex[-12:]}"
    response, _ = visit(
        Route, operator, name=route, strategy="weighted", policy="{}", targets=f"{name}/m\n openai/x \n", enabled="on"
    )
    assert response.status_code == 302, response.content.decode()
    assert targets_of(route) == (f"{name}/m", "openai/x")
    with platform_scope():
        row = Route.objects.get(name=route)
    page, _ = visit(Route, operator, row_id=row.id)
    assert f"{name}/m\nopenai/x" in page.content.decode()
    visit(
        Route, operator, row_id=row.id, name=route, strategy="weighted", policy="{}", targets="openai/x", enabled="on"
    )
    assert targets_of(route) == ("openai/x",)
    delete_route(owner=None, route_id=row.id)


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
        "health_interval_seconds": 60,
        "mark_up_basis_points": 250,
    }
    response, _ = visit(Provider, operator, row_id=provider_id, **kept)
    assert response.status_code == 302, response.content.decode()
    with platform_scope():
        changed = Provider.objects.get(id=provider_id)
    assert (changed.enabled, changed.mark_up_basis_points, changed.quirks, changed.offered_to_plans) == (
        *(False, 250),
        *({}, []),
    )


def test_a_routes_rules_and_policy_are_json_and_what_is_wrong_with_it_is_shown(operator):
    route = f"r-{new_id().hex[-12:]}"
    said = {"name": route, "strategy": "cost", "enabled": "on", "policy": '{"retries": 1}'}
    line = '{"target": "openai/x", "weight": 3}'
    answer, _ = visit(Route, operator, targets=line, **said)
    assert answer.status_code == 302, answer.content.decode()
    entry = load_platform_catalogue().routes[route]
    assert (entry.rules[0].weight, entry.policy.retries, entry.strategy) == (3, 1, "cost")
    with platform_scope():
        row = Route.objects.get(name=route)
    page, _ = visit(Route, operator, row_id=row.id)
    assert line in html.unescape(page.content.decode())
    for wrong, told in (
        ({"policy": '{"retries": 9}'}, "policy.retries"),
        ({"policy": "{"}, "Enter a valid JSON"),
        ({"targets": "{"}, "This line is no JSON"),
        ({"targets": "openai"}, "targets[0]"),
    ):
        page, _ = visit(Route, operator, row_id=row.id, **{**said, "targets": line, **wrong})
        assert page.status_code == 200
        assert told in html.unescape(page.content.decode())
    delete_route(owner=None, route_id=row.id)
