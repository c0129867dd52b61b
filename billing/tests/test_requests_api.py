"""GET /v1/requests and /v1/requests/{id} as a caller sees them, without the site around them."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIRequestFactory

from billing.decisions.api import RequestsView, RequestView
from billing.decisions.query import parse_request_id, parse_wanted
from billing.decisions.records import Considered, Tried
from billing.ledger import statements
from billing.tests.entries import (
    connect,
    id_made_at,
    make_decision,
    make_intent,
    make_settlement,
    plain,
    store,
    utc_now,
)
from common.errors import InvalidRequest, NotFound, PermissionDenied
from common.ids import created_at, new_id
from tenants.api_authentication import Caller

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def caller_of(made, scopes=("usage:read",), key_id=None):
    return Caller(
        tenant=made.tenant,
        key_id=key_id or made.key_uuid,
        user_id=None,
        scopes=frozenset(scopes),
        state="active",
        time_zone="UTC",
    )


@pytest.fixture
def alice(make_tenant):
    return caller_of(make_tenant("requests"))


@pytest.fixture
def charlie(cast):
    return caller_of(cast.globex)


def asked_by(view, caller, **parameters):
    django_request = APIRequestFactory().get("/v1/requests", parameters)
    request: Any = view.initialize_request(django_request)
    request.user, request.auth = SimpleNamespace(is_authenticated=True), caller
    return request


def one(caller, request_id):
    view = RequestView()
    return view.get(asked_by(view, caller), str(request_id)).data


def listed(caller, **parameters):
    view = RequestsView()
    return view.get(asked_by(view, caller, **parameters)).data


def made_by(caller, **changes):
    return make_intent(**{"tenant_id": caller.tenant.id, "api_key_id": caller.key_id, **changes})


def stored_request(caller, made_at=None, **changes):
    """One that was answered at its only attempt."""
    intent = made_by(caller, **({"request_id": id_made_at(made_at)} if made_at else {}))
    decision = make_decision(intent, **changes)
    store(intents=[intent], settlements=[make_settlement(intent)], decisions=[decision])
    return decision


@pytest.fixture
def failed_over(alice):
    """The id of a request that a vendor refused and the demo provider answered."""
    first = made_by(alice, provider="vendor", model="large")
    second = made_by(alice, request_id=first.request_id, attempt=2)
    decision = make_decision(
        first,
        considered=(
            Considered("vendor/large", "default", "target", "tried", "fastest", score=0.5),
            Considered("demo/demo-chat", "default", "fallback", "chosen", "next"),
            Considered("vendor/small", "default", "fallback", "not_needed", "answered"),
        ),
        tried=(
            Tried(1, "vendor/large", "default", "first", 3, 20, "failed", error_code="upstream_refused", status=503),
            Tried(2, "demo/demo-chat", "default", "failover", 21, 39, "completed", first_chunk_ms=30, status=200),
        ),
    )
    unpaid = make_settlement(first, outcome="failed", charge_nano=0, cost_nano=7)
    store(intents=[first, second], settlements=[unpaid, make_settlement(second)], decisions=[decision])
    return first.request_id


def test_a_request_is_one_document_of_what_was_decided_and_why(alice, failed_over):
    shown = one(alice, failed_over)
    assert (shown["id"], shown["state"], shown["model"]) == (str(failed_over), "ended", "default")
    assert (shown["route"], shown["strategy"], shown["cache"]) == ("default", "latency", "off")
    assert (shown["outcome"], shown["answered_by"]) == ("answered", "demo/demo-chat")
    assert [each["verdict"] for each in shown["considered"]] == ["tried", "chosen", "not_needed"]
    assert shown["considered"][0]["score"] == 0.5
    assert shown["limits"] == {"requests_remaining": 599}


def test_its_attempts_are_a_waterfall_with_the_money_of_each(alice, failed_over):
    shown = one(alice, failed_over)
    failed, answered = shown["attempts"]
    assert (failed["start_ms"], failed["first_chunk_ms"], failed["end_ms"]) == (3, None, 20)
    assert (answered["start_ms"], answered["first_chunk_ms"], answered["end_ms"]) == (21, 30, 39)
    assert (failed["why"], failed["status"], failed["error_code"]) == ("first", 503, "upstream_refused")
    assert (failed["cost_nano_usd"], failed["charge_nano_usd"]) == (7, 0)
    assert (answered["why"], answered["usage"]["output_tokens"]) == ("failover", 30)
    assert answered["cost_usd"] == "0.000004321"
    assert (shown["cost_nano_usd"], shown["charge_nano_usd"], shown["charge_usd"]) == (4_328, 5_000, "0.000005000")


def test_a_correction_speaks_for_what_it_corrects(alice):
    intent = made_by(alice)
    guess = make_settlement(intent, outcome="killed", usage_source="estimated", charge_nano=0, cost_nano=1_000)
    store(intents=[intent], settlements=[guess])
    with connect() as connection:
        truth = statements.encode_settlements([make_settlement(intent)])
        connection.execute(plain(statements.INSERT_CORRECTIONS), [truth])
    (attempt,) = one(alice, intent.request_id)["attempts"]
    assert (attempt["outcome"], attempt["usage_source"]) == ("completed", "provider")
    assert (attempt["cost_nano_usd"], attempt["charge_nano_usd"], attempt["usage"]["input_tokens"]) == (
        4_321,
        5_000,
        90,
    )


def test_a_request_under_way_shows_what_is_known(alice):
    intent = made_by(alice, stream=True)
    intent = made_by(alice, request_id=intent.request_id, dispatched_at=created_at(intent.request_id) + timedelta(0, 1))
    store(intents=[intent])
    shown = one(alice, intent.request_id)
    assert (shown["state"], shown["outcome"], shown["considered"]) == ("running", None, [])
    (attempt,) = shown["attempts"]
    assert (attempt["target"], attempt["start_ms"], attempt["end_ms"]) == ("demo/demo-chat", 1_000, None)
    assert (attempt["settled"], attempt["usage"], shown["charge_nano_usd"]) == (False, None, 0)


def test_a_settlement_that_comes_before_the_record_is_shown(alice):
    intent = made_by(alice)
    store(intents=[intent], settlements=[make_settlement(intent)])
    shown = one(alice, intent.request_id)
    assert shown["state"] == "running"
    (attempt,) = shown["attempts"]
    assert (attempt["settled"], attempt["first_chunk_ms"], attempt["end_ms"]) == (True, 12, 34)
    assert shown["charge_nano_usd"] == 5_000


def test_a_request_whose_record_was_lost_is_not_said_to_run_for_ever(alice):
    intent = made_by(alice)
    store(intents=[intent], settlements=[make_settlement(intent, outcome="killed")])
    with connect(role=None) as owner:
        owner.execute("ALTER TABLE public.billing_settlement NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            "UPDATE public.billing_settlement SET settled_at = now() - interval '2 minutes' WHERE request_id = %s",
            [intent.request_id],
        )
        owner.execute("ALTER TABLE public.billing_settlement FORCE ROW LEVEL SECURITY")
    shown = one(alice, intent.request_id)
    assert (shown["state"], shown["attempts"][0]["outcome"]) == ("unrecorded", "killed")


def test_a_record_whose_settlement_is_still_to_come_says_so(alice):
    intent = made_by(alice)
    store(intents=[intent], decisions=[make_decision(intent)])
    (attempt,) = one(alice, intent.request_id)["attempts"]
    assert (attempt["outcome"], attempt["settled"], attempt["usage"]) == ("completed", False, None)


def test_a_refused_request_leaves_a_record_without_attempts(alice):
    intent = made_by(alice)
    store(
        decisions=[
            make_decision(
                intent, outcome="refused", error_code="rate_limit_exceeded", tried=(), considered=(), route=None
            )
        ]
    )
    shown = one(alice, intent.request_id)
    assert (shown["outcome"], shown["error_code"], shown["attempts"], shown["answered_by"]) == (
        "refused",
        "rate_limit_exceeded",
        [],
        None,
    )


def test_charlie_of_another_tenant_finds_nothing_of_it(alice, charlie):
    decision = stored_request(alice)
    with pytest.raises(NotFound):
        one(charlie, decision.request_id)
    assert str(decision.request_id) not in {each["id"] for each in listed(charlie)["data"]}
    assert listed(charlie, api_key_id=str(alice.key_id))["data"] == []


@pytest.mark.parametrize(
    "written",
    [
        *(
            "nonsense",
            "",
            "../usage",
            "01a1feee-40f4-776c-940b-77c973da9bf",
            "a4a9ba7c-9fd4-4d39-b7d0-4f6d3f9e6a11",
            "\x00",
        ),
        # Of the year 10889, which no calendar has, and of a year that has no records yet.
        *("ffffffff-ffff-7fff-bfff-ffffffffffff", "04000000-0000-7000-8000-000000000000"),
    ],
)
def test_what_is_no_request_of_anybodys_is_not_found(alice, written):
    with pytest.raises(NotFound):
        one(alice, written)


def test_an_unknown_id_is_not_found(alice):
    with pytest.raises(NotFound):
        one(alice, new_id())


def test_an_id_is_taken_as_it_is_written_alone():
    request_id = new_id()
    assert parse_request_id(str(request_id)) == parse_request_id(str(request_id).upper()) == request_id
    assert parse_request_id(f"{{{request_id}}}") is parse_request_id(request_id.hex) is None


def test_a_key_that_may_only_ask_sees_the_requests_made_with_it(alice):
    own, others = stored_request(alice), make_intent(tenant_id=alice.tenant.id)
    store(intents=[others], decisions=[make_decision(others)])
    asking = Caller(alice.tenant, alice.key_id, None, frozenset({"completions:write"}), "active", "UTC")
    assert one(asking, own.request_id)["id"] == str(own.request_id)
    with pytest.raises(NotFound):
        one(asking, others.request_id)
    assert [each["id"] for each in listed(asking)["data"]] == [str(own.request_id)]
    assert listed(asking, api_key_id=str(others.api_key_id))["data"] == []
    assert {each["id"] for each in listed(alice)["data"]} == {str(own.request_id), str(others.request_id)}


def test_a_key_that_may_do_neither_is_refused(alice):
    stranger = Caller(alice.tenant, alice.key_id, None, frozenset({"models:read"}), "active", "UTC")
    with pytest.raises(PermissionDenied, match="usage:read"):
        one(stranger, new_id())
    with pytest.raises(PermissionDenied, match="usage:read"):
        listed(stranger)


def test_pages_come_newest_first_and_meet_without_a_gap(alice):
    made = [stored_request(alice, utc_now() - timedelta(hours=hours)) for hours in range(5)]
    ids = [str(decision.request_id) for decision in made]
    first = listed(alice, limit="2")
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (ids[:2], True)
    second = listed(alice, limit="2", after=ids[1])
    assert ([each["id"] for each in second["data"]], second["has_more"]) == (ids[2:4], True)
    last = listed(alice, limit="2", after=ids[3])
    assert ([each["id"] for each in last["data"]], last["has_more"]) == (ids[4:], False)


def test_pages_go_back_over_the_turn_of_a_month(alice):
    turn = utc_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before, after = (stored_request(alice, turn + timedelta(seconds=seconds)) for seconds in (-1, 1))
    found = listed(alice, since=(turn - timedelta(days=1)).isoformat(), until=(turn + timedelta(days=1)).isoformat())
    assert [each["id"] for each in found["data"]] == [str(after.request_id), str(before.request_id)]


def test_an_entry_holds_the_summary_and_the_money(alice):
    decision = stored_request(alice)
    (entry,) = listed(alice)["data"]
    assert entry["id"] == str(decision.request_id)
    assert (entry["answered_by"], entry["attempts"], entry["duration_ms"]) == ("demo/demo-chat", 1, 40)
    assert (entry["cost_nano_usd"], entry["charge_usd"]) == (4_321, "0.000005000")


def test_filters_narrow_the_list(alice):
    plain = stored_request(alice, utc_now() - timedelta(days=2))
    failed = stored_request(alice, outcome="failed", requested_model="large", route=None)
    ids = str(plain.request_id), str(failed.request_id)

    def found(**parameters):
        return {each["id"] for each in listed(alice, **parameters)["data"]}

    assert found() == set(ids)
    assert found(outcome="failed") == found(model="large") == {ids[1]}
    assert found(route="default") == {ids[0]}
    yesterday = (utc_now() - timedelta(days=1)).isoformat()
    assert found(since=yesterday) == {ids[1]}
    assert found(until=yesterday) == {ids[0]}
    assert found(api_key_id=str(alice.key_id)) == set(ids)
    assert found(api_key_id=str(new_id())) == set()


def test_a_page_reads_the_months_it_covers_alone(alice, django_assert_max_num_queries):
    stored_request(alice)
    with django_assert_max_num_queries(8) as queries:
        listed(alice)
    assert any("billing_decision" in query["sql"] and '"month" BETWEEN' in query["sql"] for query in queries)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"after": "last"}, "after"),
        ({"after": "ffffffff-ffff-ffff-ffff-ffffffffffff"}, "after"),
        ({"outcome": "good"}, "outcome"),
        ({"api_key_id": "orc_1"}, "api_key_id"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-21T00:00:00"}, "since"),
        ({"until": "0001-01-01T00:00:00Z"}, "until"),
        ({"since": "2025-01-01T00:00:00Z", "until": "2026-11-21T00:00:00Z"}, "since"),
        ({"since": "2026-11-21T00:00:00Z", "until": "2026-11-20T00:00:00Z"}, "since"),
        ({"model": "x" * 201}, "model"),
        ({"route": "\x00"}, "route"),
        ({"key": "1"}, "key"),
    ],
)
def test_what_is_wrong_is_named(parameters, named):
    with pytest.raises(InvalidRequest) as refusal:
        parse_wanted(parameters, now=NOW)
    assert refusal.value.param == named


def test_a_page_after_something_older_than_the_range_is_empty(alice):
    stored_request(alice)
    long_ago = id_made_at(utc_now() - timedelta(days=400))
    assert listed(alice, after=str(long_ago)) == {"object": "list", "data": [], "has_more": False}


def test_over_http_a_key_finds_its_own_requests_and_a_404_for_charlies(cast):
    own, charlies = stored_request(caller_of(cast.acme)), stored_request(caller_of(cast.globex))
    client, headers = Client(), {"authorization": f"Bearer {cast.acme.key}", "host": cast.acme.host}

    def status(path):
        return client.get(f"/v1/requests{path}", headers=headers).status_code

    assert status("") == status(f"/{own.request_id}") == 200
    assert status(f"/{charlies.request_id}") == status("/nonsense") == 404
