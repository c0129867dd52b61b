"""/v1/webhooks as its callers see it: Alice of Acme, and Charlie who must see nothing of hers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from standardwebhooks import Webhook

from billing.webhooks.endpoints import MOST_ENDPOINTS, OVERLAP
from billing.webhooks.models import WebhookDelivery
from billing.webhooks.outbox import emit
from common.ids import new_id
from providers.tests.callers import caller_of
from tenants.actions.tenants import set_tenant_state
from tenants.door import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://hooks.example.com/orchestrator"


@pytest.fixture
def made(alice, receiver):
    """A webhook at the receiver, with its secret."""
    status, webhook = alice("post", "webhooks", {"url": receiver.url})
    assert status == 201, webhook
    return webhook


@pytest.fixture
def delivered(alice, made, acme, turn):
    """The only delivery of `made`."""
    emit(tenant_id=acme.id, event_type="route.updated", payload={"name": "fast"})
    turn()
    status, found = alice("get", f"webhooks/{made['id']}/deliveries")
    assert (status, len(found["data"])) == (200, 1)
    return found["data"][0]


def test_a_webhook_is_made_as_it_was_given(alice):
    given = {"url": URL, "description": "Ours", "event_types": ["route.*", "webhook.disabled"], "enabled": False}
    status, webhook = alice("post", "webhooks", given)
    assert status == 201
    assert given.items() <= webhook.items()
    assert webhook["secret"].startswith("whsec_")
    assert webhook["object"] == "webhook"
    assert webhook["failing_since"] is webhook["disabled_at"] is webhook["disabled_reason"] is None


def test_a_secret_is_shown_when_it_is_made_and_never_again(alice, made, delivered, acme):
    secret = made.pop("secret")
    answers = [
        alice("get", "webhooks"),
        alice("get", f"webhooks/{made['id']}"),
        alice("patch", f"webhooks/{made['id']}", {"description": "new"}),
        alice("get", f"webhooks/{made['id']}/deliveries"),
        alice("post", f"webhooks/{made['id']}/test"),
    ]
    assert [status for status, _ in answers] == [200] * 5
    assert secret not in json.dumps(answers)
    assert '"secret"' not in json.dumps(answers)


def test_a_webhook_is_changed_listed_and_removed(alice, made):
    secret = made.pop("secret")
    status, changed = alice("patch", f"webhooks/{made['id']}", made | {"url": URL, "enabled": False})
    assert (status, changed["url"], changed["enabled"]) == (200, URL, False)
    _, other = alice("post", "webhooks", {"url": URL})
    assert alice("get", "webhooks")[1]["data"] == [changed, {k: v for k, v in other.items() if k != "secret"}]
    assert alice("delete", f"webhooks/{made['id']}") == (204, None)
    assert alice.refused("get", f"webhooks/{made['id']}") == (404, "webhook_id", "not_found")
    assert secret


def test_what_came_of_an_event_is_shown(made, delivered):
    expected = {
        "object": "webhook.delivery",
        "webhook_id": made["id"],
        "status": "delivered",
        "attempts": 1,
        "response_status": 200,
        "next_attempt_at": None,
        "error": None,
    }
    assert expected.items() <= delivered.items()
    assert (delivered["event"]["type"], delivered["event"]["data"]) == ("route.updated", {"name": "fast"})


def test_deliveries_are_paged_and_chosen_from(alice, made, acme, receiver, turn):
    for number in range(3):
        emit(tenant_id=acme.id, event_type="route.updated", payload={"number": number})
    turn()
    receiver.status = 500
    emit(tenant_id=acme.id, event_type="route.removed", payload={})
    turn()

    def numbers(query):
        status, found = alice("get", f"webhooks/{made['id']}/deliveries?{query}")
        assert status == 200, found
        return [each["event"]["data"].get("number") for each in found["data"]], found["has_more"]

    assert numbers("") == ([None, 2, 1, 0], False)
    assert numbers("limit=2") == ([None, 2], True)
    second = alice("get", f"webhooks/{made['id']}/deliveries?limit=2")[1]["data"][1]
    assert numbers(f"limit=2&after={second['id']}") == ([1, 0], False)
    assert numbers("status=pending") == ([None], False)
    assert numbers("event_type=route.updated&status=delivered") == ([2, 1, 0], False)


def test_a_test_event_is_sent_at_once_and_what_came_of_it_is_the_answer(alice, made, receiver):
    status, tried = alice("post", f"webhooks/{made['id']}/test")
    assert (status, tried["status"], tried["event"]["type"]) == (200, "delivered", "webhook.test")
    (message,) = receiver.received
    assert message.id == tried["event"]["id"]
    assert message.signed_with(made["secret"])
    receiver.status = 404
    _, tried = alice("post", f"webhooks/{made['id']}/test")
    assert (tried["status"], tried["response_status"], tried["error"]) == ("failed", 404, "refused")


def test_a_new_secret_is_shown_and_says_how_long_the_old_one_signs(alice, made, receiver):
    status, rotated = alice("post", f"webhooks/{made['id']}/rotate-secret")
    assert status == 200
    assert rotated["secret"] != made["secret"]
    until = datetime.fromisoformat(rotated["previous_secret_until"])
    left = until - datetime.now(until.tzinfo)
    assert OVERLAP - timedelta(minutes=1) < left <= OVERLAP
    alice("post", f"webhooks/{made['id']}/test")
    assert receiver.received[-1].signed_with(rotated["secret"], made["secret"])


def test_a_delivery_is_sent_again(alice, delivered, receiver, turn, clock):
    clock.wait(minutes=1)
    status, again = alice("post", f"webhooks/deliveries/{delivered['id']}/replay")
    assert (status, again["status"], again["id"]) == (202, "pending", delivered["id"])
    turn()
    assert receiver.ids == [delivered["event"]["id"]] * 2


def test_all_that_failed_since_a_moment_is_sent_again(alice, made, acme, receiver, turn, clock):
    alice("post", f"webhooks/{made['id']}/test")
    receiver.status = 410
    alice("post", f"webhooks/{made['id']}/test")
    for number in range(3):
        alice("patch", f"webhooks/{made['id']}", {"enabled": True})
        emit(tenant_id=acme.id, event_type="route.updated", payload={"number": number})
        turn()
    listed = f"webhooks/{made['id']}/deliveries?event_type=route.updated"
    last, middle, _ = alice("get", listed)[1]["data"]
    receiver.status = 200
    status, answer = alice("post", f"webhooks/{made['id']}/replay", {"since": middle["created_at"]})
    assert (status, answer) == (202, {"object": "webhook.replay", "replayed": 2})
    alice("patch", f"webhooks/{made['id']}", {"enabled": True})
    clock.wait(minutes=1)
    turn()
    assert [each["status"] for each in alice("get", listed)[1]["data"]] == ["delivered", "delivered", "failed"]
    assert set(receiver.ids[-2:]) == {last["event"]["id"], middle["event"]["id"]}
    assert len(alice("get", f"webhooks/{made['id']}/deliveries")[1]["data"]) == 5
    for body, param in (({}, "since"), ({"since": "yesterday"}, "since"), ({"until": "2026-11-21"}, "until")):
        assert alice.refused("post", f"webhooks/{made['id']}/replay", body)[:2] == (400, param)


def test_charlie_finds_nothing_of_acmes(alice, charlie, made, delivered, receiver):
    sent = len(receiver.received)
    assert charlie("get", "webhooks")[1]["data"] == []
    own, foreign = f"webhooks/{new_id()}", f"webhooks/{made['id']}"
    for path in (own, foreign):
        for method, rest, body in (
            ("get", "", None),
            ("patch", "", {"enabled": False}),
            ("delete", "", None),
            ("post", "/test", None),
            ("post", "/rotate-secret", None),
            ("post", "/replay", {"since": "2026-11-21T08:00:00Z"}),
            ("get", "/deliveries", None),
        ):
            assert charlie.refused(method, path + rest, body) == (404, "webhook_id", "not_found")
    replay = f"webhooks/deliveries/{delivered['id']}/replay"
    assert charlie.refused("post", replay) == (404, "delivery_id", "not_found")
    assert len(receiver.received) == sent
    assert alice("get", f"webhooks/{made['id']}")[1]["enabled"]


def test_the_scopes_are_asked_for(acme, made, delivered):
    looking, changing = caller_of(acme, "webhooks:read"), caller_of(acme, "webhooks:write")
    stranger = caller_of(acme, "providers:read", "providers:write")
    path = f"webhooks/{made['id']}"
    reads = [("get", "webhooks"), ("get", path), ("get", f"{path}/deliveries")]
    writes = [
        ("post", "webhooks"),
        ("patch", path),
        ("post", f"{path}/test"),
        ("post", f"{path}/rotate-secret"),
        ("post", f"webhooks/deliveries/{delivered['id']}/replay"),
        ("post", f"{path}/replay"),
        ("delete", path),
    ]
    for method, place in reads:
        assert looking(method, place)[0] == 200
        assert changing.refused(method, place) == (403, None, "insufficient_scope")
        assert stranger.refused(method, place) == (403, None, "insufficient_scope")
    for method, place in writes:
        body = {"url": URL} if method in ("post", "patch") and place in ("webhooks", path) else None
        assert looking.refused(method, place, body) == (403, None, "insufficient_scope")
        assert stranger.refused(method, place, body) == (403, None, "insufficient_scope")
    set_tenant_state(tenant=acme, state="read_only")
    assert changing.refused("post", f"{path}/test") == (403, None, "tenant_read_only")
    assert looking("get", path)[0] == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "url"),
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "http://10.0.0.1/hook"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "https://user:password@example.com/"}, "url"),
        ({"url": "https://exa mple.com/"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "https://example.com:99999/"}, "url"),
        ({"url": URL + "x" * 500}, "url"),
        ({"url": URL, "event_types": ["route.*", "unheard.of"]}, "event_types[1]"),
        ({"url": URL, "event_types": "route.*"}, "event_types"),
        ({"url": URL, "description": "x" * 201}, "description"),
        ({"url": URL, "enabled": "perhaps"}, "enabled"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
        ({"url": None}, "url"),
        ({"url": ""}, "url"),
        ({"url": ["https://example.com"]}, "url"),
        ({"url": "https://example.com:port/"}, "url"),
        ({"url": "https://" + "x" * 64 + ".com/"}, "url"),
        ({"url": "https://example.com/ä"}, "url"),
        ({"url": URL, "event_types": [None]}, "event_types[0]"),
        ({"url": URL, "event_types": [["route.*"]]}, "event_types[0]"),
        ({"url": URL, "event_types": ["route.*"] * 101}, "event_types"),
        ([], None),
        ("text", None),
        (b"{", None),
    ],
)
def test_what_cannot_be_is_refused_by_name(alice, body, param):
    assert alice.refused("post", "webhooks", body)[:2] == (400, param)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("after=yesterday", "after"),
        ("status=lost", "status"),
        ("event_type=unheard.of", "event_type"),
        ("state=pending", "state"),
    ],
)
def test_a_listing_names_what_is_wrong_with_it(alice, made, query, param):
    assert alice.refused("get", f"webhooks/{made['id']}/deliveries?{query}")[:2] == (400, param)


def test_a_change_is_held_to_the_same_rules(alice, made):
    path = f"webhooks/{made['id']}"
    assert alice.refused("patch", path, {"url": "http://192.168.0.1/"})[:2] == (400, "url")
    assert alice.refused("patch", path, {"event_types": ["x"]})[:2] == (400, "event_types[0]")
    assert alice.refused("get", "webhooks/not-an-id")[0] == 404


def test_there_is_an_end_to_the_number_of_webhooks(alice):
    for _ in range(MOST_ENDPOINTS):
        assert alice("post", "webhooks", {"url": URL})[0] == 201
    assert alice.refused("post", "webhooks", {"url": URL}) == (400, None, "too_many_webhooks")


def test_a_tenants_own_role_reads_no_other_tenants_deliveries(acme, made, delivered, make_tenant):
    other = make_tenant("other").tenant
    with tenant_scope(other):
        assert not WebhookDelivery.objects.filter(id=delivered["id"]).exists()
    with tenant_scope(acme):
        assert WebhookDelivery.objects.filter(id=delivered["id"]).exists()


def test_what_the_document_promises_of_webhooks_is_what_they_show(made, delivered, settings):
    urls = str(settings.SPECTACULAR_SETTINGS["SERVE_URLCONF"])
    schemas = SchemaGenerator(urlconf=urls).get_schema(request=None, public=True)["components"]["schemas"]
    assert schemas["NewWebhookSchema"]["properties"].keys() == made.keys()
    assert schemas["DeliverySchema"]["properties"].keys() == delivered.keys()
    assert schemas["DeliveredEventSchema"]["properties"].keys() == delivered["event"].keys()


def test_a_webhook_that_is_asked_for_twice_is_made_once_and_its_secret_is_not_kept(alice):
    once = {"idempotency-key": str(new_id())}
    status, made = alice("post", "webhooks", {"url": URL}, **once)
    assert (status, made["secret"][:6]) == (201, "whsec_")
    status, again = alice("post", "webhooks", {"url": URL}, **once)
    assert (status, again["error"]["code"]) == (409, "idempotent_answer_not_kept")
    assert len(alice("get", "webhooks")[1]["data"]) == 1


def test_the_verification_that_is_documented_verifies(alice, made, receiver):
    page = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text()
    code = page.partition("## Webhooks")[2].partition("```python\n")[2].partition("```")[0]
    documented: dict[str, Any] = {}
    exec(code, documented)
    alice("post", f"webhooks/{made['id']}/test")
    (message,) = receiver.received
    assert documented["verified"](made["secret"], message.headers, message.body)
    assert not documented["verified"](made["secret"], message.headers, message.body + b" ")
    sent_at = datetime.fromtimestamp(int(message.headers["webhook-timestamp"]), UTC)
    for age, fresh in ((290, True), (301, False)):
        moment = sent_at - timedelta(seconds=age)
        signature = Webhook(made["secret"]).sign(message.id, moment, message.body.decode())
        then = {"webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}
        assert documented["verified"](made["secret"], message.headers | then, message.body) is fresh
