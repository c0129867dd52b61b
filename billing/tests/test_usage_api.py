"""GET /v1/usage as a caller sees it, without the site around it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIRequestFactory

from billing.api import UsageView
from billing.tests.entries import make_intent, make_settlement, store
from billing.usage_query import parse_usage_query
from common.errors import InvalidRequest, PermissionDenied
from tenants.api_authentication import Caller

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


@pytest.fixture
def caller(make_tenant):
    made = make_tenant("usage")
    return Caller(
        tenant=made.tenant,
        key_id=made.key_uuid,
        user_id=None,
        scopes=frozenset({"usage:read"}),
        state="active",
        time_zone="Europe/Berlin",
    )


def ask(caller, **parameters):
    """Calls the view itself: errors come as they are, not as the site words them."""
    view = UsageView()
    django_request = APIRequestFactory().get("/v1/usage", parameters)
    request: Any = view.initialize_request(django_request)
    request.user, request.auth = SimpleNamespace(is_authenticated=True), caller
    return view.get(request).data


def refused(**parameters):
    with pytest.raises(InvalidRequest) as refusal:
        parse_usage_query(parameters, time_zone="UTC", now=NOW)
    return refusal.value.param


@pytest.mark.django_db(transaction=True)
def test_what_was_spent_today_is_in_todays_row(caller):
    intent = make_intent(tenant_id=caller.tenant.id, api_key_id=caller.key_id)
    store(intents=[intent], settlements=[make_settlement(intent, cost_nano=1_234_567_890)])
    answer = ask(caller)
    assert (answer["object"], answer["time_zone"], answer["group_by"]) == ("usage", "Europe/Berlin", "day")
    assert len(answer["rows"]) == 30
    assert answer["rows"][-1] | {"day": None} == {
        "day": None,
        "requests": 1,
        "unpriced_requests": 0,
        "input_tokens": 90,
        "output_tokens": 30,
        "cache_read_tokens": 10,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "cost_nano_usd": 1_234_567_890,
        "cost_usd": "1.234567890",
        "charge_nano_usd": 5_000,
        "charge_usd": "0.000005000",
    }
    assert answer["total"]["cost_nano_usd"] == 1_234_567_890
    (row,) = ask(caller, group_by="key")["rows"]
    assert (row["key"], row["key_name"], row["requests"]) == (str(caller.key_id), "test", 1)
    (row,) = ask(caller, group_by="model")["rows"]
    assert row["model"] == "demo/demo-chat"


def test_a_key_without_the_scope_is_refused():
    stranger = SimpleNamespace(scopes=frozenset({"models:read"}), time_zone="UTC")
    with pytest.raises(PermissionDenied):
        ask(stranger)


def test_the_default_is_the_last_thirty_local_days():
    query = parse_usage_query({}, time_zone="Asia/Tokyo", now=NOW)
    assert query.end.isoformat() == "2026-11-23"
    assert query.end - query.first == timedelta(days=30)


def test_another_time_zone_may_be_asked_for():
    query = parse_usage_query({"timezone": "America/New_York"}, time_zone="Asia/Tokyo", now=NOW)
    assert (query.zone.key, query.end.isoformat()) == ("America/New_York", "2026-11-22")


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"to": "2026-11-21T00:00"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"from": "2026-11-21", "to": "2026-11-21"}, "from"),
        ({"from": "2025-01-01", "to": "2026-11-21"}, "from"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"group_by": "colour"}, "group_by"),
        ({"groupby": "day"}, "groupby"),
    ],
)
def test_what_is_wrong_is_named(parameters, named):
    assert refused(**parameters) == named
