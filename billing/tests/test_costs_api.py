"""GET /v1/costs, /v1/costs/analytics and /v1/users/me/usage as callers see them."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.test import Client

from billing.costs.asking import Format, parse_costs
from billing.costs.export import INTERVALS_AT_ONCE, exported, harmless
from billing.ledger.partitions import create_partitions
from billing.rollups.frontier import bucket_of
from billing.rollups.rolling import rebuild
from billing.tests.entries import id_made_at, make_decision, make_intent, make_settlement, store
from billing.tests.rolled_ledger import fill, whole_ledger
from common.errors import InvalidRequest
from common.ids import new_id
from tenants.actions.api_keys import create_api_key
from tenants.actions.people import create_user

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
database = pytest.mark.django_db(transaction=True)


def ask(made, path, *, key=None, **query):
    headers = {"host": made.host, "authorization": f"Bearer {key or made.key}"}
    response = Client().get(f"/v1/{path}", headers=headers, query_params=query)
    return response.status_code, response.json()


def spent(made, moment, *, asked=None, **ending):
    intent = make_intent(request_id=id_made_at(moment), tenant_id=made.tenant.id, **(asked or {}))
    store(intents=[intent], settlements=[make_settlement(intent, **ending)])
    return intent


@pytest.fixture
def acme(make_tenant):
    create_partitions(today=datetime.now(UTC).date())
    return make_tenant("costs")


def refused(**parameters):
    with pytest.raises(InvalidRequest) as refusal:
        parse_costs({name: [value] for name, value in parameters.items()}, time_zone="UTC", now=NOW)
    return refusal.value.param


def asked(**parameters):
    return parse_costs({name: [value] for name, value in parameters.items()}, time_zone="Asia/Kathmandu", now=NOW)


@database
def test_the_summary_says_where_the_month_stands(acme):
    now = datetime.now(UTC)
    last_month = now.replace(day=1, hour=12) - timedelta(days=1)
    spent(acme, now, cost_nano=5_000_000_000, charge_nano=6_000_000_000)
    spent(acme, last_month, cost_nano=7_000_000_000, charge_nano=7)
    hit = make_intent(tenant_id=acme.tenant.id)
    saved = {"saved_cost_nano": 3, "saved_charge_nano": 4}
    store(decisions=[make_decision(hit, outcome="cached", cache="hit", details=saved)])
    status, answer = ask(acme, "costs", timezone="UTC")
    assert status == 200
    assert (answer["object"], answer["time_zone"]) == ("cost_summary", "UTC")
    assert answer["today"]["day"] == now.date().isoformat()
    for part in ("today", "month_to_date"):
        figures = answer[part]
        assert (figures["requests"], figures["cost_usd"], figures["charge_nano_usd"]) == (1, "5.000000000", 6 * 10**9)
        assert (figures["cache_hits"], figures["saved_cost_nano_usd"], figures["saved_charge_nano_usd"]) == (1, 3, 4)
    assert answer["month_to_date"]["month"] == f"{now:%Y-%m}"
    assert answer["last_month"]["cost_nano_usd"] == 7 * 10**9
    forecast = answer["forecast"]["cost"]
    assert 5 * 10**9 <= forecast["low_nano_usd"] <= forecast["expected_nano_usd"] <= forecast["high_nano_usd"]
    assert forecast["coverage"] == 0.9
    assert forecast["days_known"] == (now.date() - last_month.date()).days
    assert [(row["model"], row["requests"]) for row in answer["top_models"]] == [("demo/demo-chat", 1), ("default", 0)]


@database
def test_a_tenant_without_a_past_has_no_forecast(acme):
    assert ask(acme, "costs")[1]["forecast"] == {"cost": None, "charge": None}


@database
def test_costs_by_model_and_user_sum_to_the_total_and_the_dearest_come_first(acme):
    until = bucket_of(datetime.now(UTC))
    users = [new_id(), new_id()]
    fill(acme.tenant, since=until - timedelta(hours=20), until=until, count=300, keys=[acme.key_uuid], users=users)
    list(rebuild(since=until - timedelta(days=1), until=until))
    status, answer = ask(acme, "costs/analytics", period="24h", group_by="model,user")
    assert status == 200
    assert answer["group_by"] == ["model", "user"]
    assert {row["user"] for row in answer["rows"]} == {str(user) for user in users}
    prices = [row["cost_nano_usd"] for row in answer["rows"]]
    assert prices == sorted(prices, reverse=True)
    ledger = whole_ledger(acme.tenant, until - timedelta(days=1), until)
    assert sum(prices) == answer["total"]["cost_nano_usd"] == ledger["cost_nano"]
    assert answer["total"]["requests"] == ledger["requests"]
    assert answer["total"]["latency_ms"] == 300.0
    assert answer["total"]["errors"] == 43
    (row,) = ask(acme, "costs/analytics", period="24h", group_by="api_key", user=str(users[0]))[1]["rows"]
    assert (row["api_key"], row["api_key_name"], row["requests"]) == (str(acme.key_uuid), "test", 150)


@database
def test_every_interval_has_a_row_for_a_chart(acme):
    spent(acme, datetime.now(UTC))
    _, answer = ask(acme, "costs/analytics", period="7d", interval="day", timezone="Asia/Kolkata")
    today = datetime.now(ZoneInfo("Asia/Kolkata")).date()
    assert [row["start"] for row in answer["rows"]] == [
        (today - timedelta(days=ago)).isoformat() for ago in range(6, -1, -1)
    ]
    assert [row["requests"] for row in answer["rows"]] == [0] * 6 + [1]


@database
def test_charlie_sees_nothing_of_acme_by_any_way(acme, cast):
    intent = spent(acme, datetime.now(UTC), asked={"user_id": new_id(), "api_key_id": acme.key_uuid, "model": "acmes"})
    everything = [
        ask(cast.globex, "costs"),
        ask(cast.globex, "costs/analytics", group_by="model,user,api_key"),
        ask(cast.globex, "costs/analytics", model="demo/acmes"),
        ask(cast.globex, "costs/analytics", user=str(intent.user_id), api_key=str(acme.key_uuid)),
        ask(cast.globex, "users/me/usage"),
    ]
    assert {status for status, _ in everything} == {200}
    text = json.dumps([answer for _, answer in everything])
    assert not any(each in text for each in ("acmes", str(intent.user_id), str(acme.key_uuid)))
    assert everything[2][1]["total"]["requests"] == everything[3][1]["total"]["requests"] == 0


@database
def test_my_usage_is_that_of_the_keys_user_by_any_key_or_of_a_key_that_is_nobodys(acme):
    user = create_user(email=f"{new_id()}@example.com", password=None, name="Bob")
    first, second = (
        create_api_key(tenant=acme.tenant, name=name, created_by=user, scopes_granted=["completions:write"])
        for name in ("first", "second")
    )
    now = datetime.now(UTC)
    for key in (first, second):
        spent(acme, now, asked={"user_id": user, "api_key_id": key.id}, cost_nano=10)
    spent(acme, now, asked={"api_key_id": acme.key_uuid}, cost_nano=500)
    status, answer = ask(acme, "users/me/usage", key=first.text)
    assert status == 200
    assert (answer["user_id"], answer["api_key_id"], answer["total"]["cost_nano_usd"]) == (str(user), None, 20)
    status, answer = ask(acme, "users/me/usage", period="1d")
    assert (answer["user_id"], answer["api_key_id"], answer["total"]["cost_nano_usd"]) == (
        None,
        str(acme.key_uuid),
        500,
    )
    assert [row["model"] for row in answer["rows"]] == ["demo/demo-chat"]


@database
def test_a_key_without_the_scope_is_refused(acme):
    key = create_api_key(tenant=acme.tenant, name="narrow", scopes_granted=["completions:write"]).text
    for path in ("costs", "costs/analytics"):
        assert ask(acme, path, key=key)[0] == 403
    other = create_api_key(tenant=acme.tenant, name="narrow", scopes_granted=["models:read"]).text
    assert ask(acme, "users/me/usage", key=other)[0] == 403


@database
def test_an_unknown_parameter_is_named(acme):
    for path in ("costs", "costs/analytics", "users/me/usage"):
        status, answer = ask(acme, path, colour="red")
        assert (status, answer["error"]["param"]) == (400, "colour")


async def text_of(tenant, query):
    return [piece async for piece in exported(tenant, query, {})]


@database
def test_an_export_has_the_rows_of_the_answer_piece_by_piece(acme):
    until = bucket_of(datetime.now(UTC))
    fill(acme.tenant, since=until - timedelta(days=6), until=until, count=900)
    list(rebuild(since=until - timedelta(days=6), until=until))
    parameters = {"period": "7d", "interval": "15min", "group_by": "model"}
    _, answer = ask(acme, "costs/analytics", **parameters)
    named = {name: [value] for name, value in parameters.items()}
    for wanted in ("csv", "jsonl"):
        query = parse_costs(named | {"format": [wanted]}, time_zone="UTC", now=datetime.now(UTC))
        pieces = asyncio.run(text_of(acme.tenant, query))
        text = "".join(pieces)
        rows = (
            list(csv.DictReader(io.StringIO(text)))
            if query.format is Format.CSV
            else [json.loads(line) for line in text.splitlines()]
        )
        assert len(query.edges) > INTERVALS_AT_ONCE
        assert len(pieces) > 1
        assert [(row["start"], row["model"], int(row["cost_nano_usd"])) for row in rows] == [
            (row["start"], row["model"], row["cost_nano_usd"]) for row in answer["rows"]
        ]
        assert sum(Decimal(row["cost_usd"]) for row in rows) == Decimal(answer["total"]["cost_usd"])


@database
@pytest.mark.parametrize(("wanted", "kind"), [("csv", b"text/csv; charset=utf-8"), ("jsonl", b"application/x-ndjson")])
def test_an_export_is_a_file_that_is_sent_as_it_is_made(acme, wanted, kind):
    spent(acme, datetime.now(UTC))
    headers = {"host": acme.host, "authorization": f"Bearer {acme.key}"}
    path = f"/v1/costs/analytics?period=30d&interval=hour&group_by=api_key&format={wanted}"

    async def received():
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        where, _, query = path.partition("?")
        scope = {"type": "http", "method": "GET", "path": where, "query_string": query.encode(), "headers": raw}
        sent = ApplicationCommunicator(ASGIHandler(), scope)
        await sent.send_input({"type": "http.request"})
        pieces = [await sent.receive_output(10)]
        while pieces[-1].get("more_body", pieces[-1]["type"] == "http.response.start"):
            pieces.append(await sent.receive_output(10))
        return pieces

    begun, *pieces = asyncio.run(received())
    answered = {name.lower(): value for name, value in begun["headers"]}
    assert (begun["status"], answered[b"content-type"]) == (200, kind)
    assert answered[b"content-disposition"] == f'attachment; filename="costs.{wanted}"'.encode()
    parts = [piece["body"] for piece in pieces if piece.get("body")]
    assert len(parts) > 1 or wanted == "jsonl"
    assert len(b"".join(parts).splitlines()) == (2 if wanted == "csv" else 1)


def test_no_name_is_a_formula_in_a_spreadsheet():
    assert [harmless(value) for value in ("=1+1", "-x", "openai/gpt-4o", -5, None)] == [
        "'=1+1",
        "'-x",
        "openai/gpt-4o",
        -5,
        None,
    ]


def test_days_are_local_and_hours_end_now():
    days = asked(period="7d")
    assert [edge.isoformat() for edge in days.edges] == ["2026-11-15T18:15:00+00:00", "2026-11-22T18:15:00+00:00"]
    hours = asked(period="24h", interval="hour")
    assert hours.edges[-1] == datetime(2026, 11, 21, 23, 45, tzinfo=UTC)
    assert hours.edges[-1] - hours.edges[0] == timedelta(days=1)
    assert len(asked(period="30d", interval="day").edges) == 31
    assert asked().edges == asked(period="30d").edges


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"period": "week"}, "period"),
        ({"period": "0d"}, "period"),
        ({"period": "367d"}, "period"),
        ({"period": "٣d"}, "period"),
        ({"period": "7d", "from": "2026-11-01"}, "from"),
        ({"from": "2026-11-01", "to": "2026-11-01"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"interval": "minute"}, "interval"),
        ({"period": "366d", "interval": "hour"}, "interval"),
        ({"group_by": "model,colour"}, "group_by"),
        ({"group_by": "model,model"}, "group_by"),
        ({"group_by": ""}, "group_by"),
        ({"user": "bob"}, "user"),
        ({"api_key": "orc_secret"}, "api_key"),
        ({"model": "a\0b"}, "model"),
        ({"provider": ""}, "provider"),
        ({"user": ",".join([str(new_id())] * 51)}, "user"),
        ({"format": "pdf"}, "format"),
        ({"group": "model"}, "group"),
    ],
)
def test_what_is_wrong_is_named(parameters, named):
    assert refused(**parameters) == named


def test_a_long_range_by_the_hour_may_be_exported():
    assert len(asked(period="366d", interval="hour", format="csv").edges) == 366 * 24 + 1
