"""The ledger in the operators' admin: readable, exact, and not to be touched."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path

from billing.models import Decision, Intent, Process, Settlement
from billing.tests.entries import make_decision, make_intent, make_settlement, register_process, store, utc_now
from common.ids import new_id
from tenants.door import platform_scope
from tenants.models import User

urlpatterns = [path("admin/", admin.site.urls)]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_urls():
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def intent():
    """A request with two attempts; the first cost a nano-dollar."""
    first = make_intent()
    second = make_intent(request_id=first.request_id, attempt=2, tenant_id=first.tenant_id)
    store(
        intents=[first, second],
        settlements=[make_settlement(first, cost_nano=1), make_settlement(second, cost_nano=2_500_000_000)],
    )
    return first


def asked(**parameters):
    """An operator's request."""
    request = RequestFactory().get("/admin/", parameters)
    request.user = User(email="operator@example.com", is_staff=True, is_superuser=True, is_active=True)
    return request


def page(view, model, *arguments, **parameters):
    """The HTML an operator gets."""
    request = asked(**parameters)
    with platform_scope():
        response = getattr(admin.site._registry[model], view)(request, *arguments)
        return response.render().content.decode()


@pytest.mark.parametrize("model", [Intent, Settlement])
def test_the_list_shows_both_attempts_with_links_of_their_own(model, intent):
    shown = page("changelist_view", model, q=str(intent.request_id))
    kind = "intent" if model is Intent else "settlement"
    assert f"{intent.request_id}:1:{kind}" in shown
    assert f"{intent.request_id}:2:{kind}" in shown


def test_money_is_shown_exactly_in_usd(intent):
    shown = page("changelist_view", Settlement, q=str(intent.request_id))
    assert "0.000000001" in shown
    assert "2.500000000" in shown


def test_an_attempt_has_a_page_of_its_own(intent):
    shown = page("change_view", Settlement, f"{intent.request_id}:2:settlement")
    assert "2.500000000" in shown
    assert "0.000000001" not in shown
    assert 'name="_save"' not in shown


@pytest.mark.parametrize("model", [Intent, Settlement])
@pytest.mark.parametrize("place", ["x:1:intent", "x", "{id}:many:settlement", "{id}:99999999999:intent"])
def test_a_place_that_is_nobodys_leads_back(model, place, intent):
    request = asked()
    setattr(request, "_messages", CookieStorage(request))  # noqa: B010 (a request of its own has none)
    with platform_scope():
        response = admin.site._registry[model].change_view(request, place.format(id=intent.request_id))
    assert response.status_code == 302


def test_attempts_without_a_known_price_can_be_told_from_the_others(intent):
    unpriced = make_intent(request_id=intent.request_id, attempt=3, price_version=None)
    store(intents=[unpriced], settlements=[make_settlement(unpriced)])
    shown = page("changelist_view", Settlement, q=str(intent.request_id), price_version__isempty="1")
    assert f"{intent.request_id}:3:settlement" in shown
    assert f"{intent.request_id}:1:settlement" not in shown


def test_no_page_counts_the_whole_ledger(intent):
    with CaptureQueriesContext(connection) as queries:
        page("changelist_view", Settlement, outcome__exact="completed")
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


@pytest.mark.parametrize("model", [Decision, Intent, Settlement, Process])
def test_nothing_can_be_added_changed_or_deleted(model, intent):
    registered = admin.site._registry[model]
    request = asked()
    assert not registered.has_add_permission(request)
    assert not registered.has_change_permission(request)
    assert not registered.has_delete_permission(request)
    assert registered.get_actions(request) == {}
    with pytest.raises(PermissionDenied):
        page("add_view", model)


def test_processes_are_listed():
    process_id = new_id()
    register_process(process_id, heartbeat_at=utc_now() + timedelta(hours=2), ended_at=utc_now())
    assert str(process_id) in page("changelist_view", Process)


def test_decisions_are_listed_and_have_a_page_with_their_reasons(intent):
    store(decisions=[make_decision(intent)])
    assert str(intent.request_id) in page("changelist_view", Decision, q=str(intent.request_id))
    shown = page("change_view", Decision, str(intent.request_id))
    assert "skipped" in shown
    assert 'name="_save"' not in shown
