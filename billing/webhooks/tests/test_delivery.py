"""From an event to a webhook on a real socket: signed, tried again, given up."""

import dataclasses
import json
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings as project
from standardwebhooks import Webhook

from billing.webhooks import sending
from billing.webhooks.claims import LEASE, claim
from billing.webhooks.deliveries import replay, try_out
from billing.webhooks.endpoints import change_endpoint, create_endpoint, delete_endpoint, rotate_secret
from billing.webhooks.fan_out import fan_out
from billing.webhooks.models import OutboxEvent, WebhookDelivery
from billing.webhooks.outbox import emit
from billing.webhooks.outcomes import record
from billing.webhooks.schedule import DELAYS
from billing.webhooks.tests.conftest import deliveries, the_delivery, the_endpoint
from billing.webhooks.tests.receiver import receiving
from billing.webhooks.turns import take_turn
from providers.client.posting import Posted
from tenants.actions.tenants import set_tenant_state
from tenants.door import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


def tell(tenant, event_type="route.updated", **payload):
    emit(tenant_id=tenant.id, event_type=event_type, payload=payload)


def test_an_event_arrives_signed_as_the_standard_has_it(acme, hook, receiver, turn):
    tell(acme, name="fäst")
    turn()
    (message,) = receiver.received
    content = Webhook(hook.secret).verify(message.body, message.headers)
    assert message.signed_with(hook.secret)
    assert (content["type"], content["data"]) == ("route.updated", {"name": "fäst"})
    assert content["timestamp"].endswith("Z")
    assert message.headers["content-type"] == "application/json"
    sent = the_delivery(hook)
    assert (sent.status, sent.attempts, sent.response_status, sent.error) == ("delivered", 1, 200, "")
    assert (sent.next_attempt_at, message.id) == (None, str(sent.event_id))
    turn()
    assert len(receiver.received) == 1


def test_each_webhook_hears_what_it_asked_for(acme, make_tenant, receiver, turn):
    routes = create_endpoint(tenant=acme, url=receiver.url, event_types=["route.*"])
    removals = create_endpoint(tenant=acme, url=receiver.url, event_types=["provider.removed", "route.removed"])
    off = create_endpoint(tenant=acme, url=receiver.url, enabled=False)
    others = create_endpoint(tenant=make_tenant("other").tenant, url=receiver.url)
    for name in ("route.updated", "route.removed", "provider.removed", "provider.updated"):
        tell(acme, name)
    turn()

    def heard(hook):
        return [each.event.type for each in deliveries(hook)]

    assert heard(routes) == ["route.updated", "route.removed"]
    assert heard(removals) == ["route.removed", "provider.removed"]
    assert heard(off) == heard(others) == []
    assert len(receiver.received) == 4


def test_what_fails_is_tried_for_three_days_under_one_id_and_then_given_up(acme, hook, receiver, clock, turn):
    receiver.status = 503
    tell(acme)
    turn()
    for number, delay in enumerate(DELAYS, 1):
        waiting = the_delivery(hook)
        assert (waiting.status, waiting.attempts, waiting.response_status) == ("pending", number, 503)
        assert waiting.next_attempt_at == clock.now() + timedelta(seconds=delay)
        clock.wait(seconds=delay - 1)
        turn()
        assert len(receiver.received) == number
        clock.wait(seconds=1)
        turn()
    given_up = the_delivery(hook)
    assert (given_up.status, given_up.attempts, given_up.next_attempt_at) == ("failed", 10, None)
    assert given_up.error == "refused"
    assert len(receiver.received) == 10
    assert len({each.id for each in receiver.received}) == len({each.body for each in receiver.received}) == 1
    assert len({each.headers["webhook-timestamp"] for each in receiver.received}) == 10
    assert all(each.signed_with(hook.secret) for each in receiver.received)


def test_after_three_days_of_failures_a_webhook_is_switched_off_and_the_others_are_told(
    acme, hook, receiver, clock, turn
):
    with receiving() as other:
        create_endpoint(tenant=acme, url=other.url, event_types=["webhook.*"])
        receiver.status = 500
        tell(acme)
        turn()
        first_failure = clock.now()
        for delay in DELAYS:
            assert the_endpoint(hook).enabled
            clock.wait(seconds=delay)
            turn()
        row = the_endpoint(hook)
        assert (row.enabled, row.disabled_reason, row.disabled_at) == (False, "failing", clock.now())
        assert row.failing_since == first_failure
        turn()
        (message,) = other.received
        told = json.loads(message.body)["data"]
        assert told == {"id": str(hook.endpoint_id), "url": receiver.url, "reason": "failing"}
    sent = len(receiver.received)
    tell(acme)
    turn()
    assert len(receiver.received) == sent


def test_one_success_ends_a_spell_of_failures(acme, hook, receiver, clock, turn):
    receiver.status = 500
    tell(acme)
    turn()
    assert the_endpoint(hook).failing_since == clock.now()
    receiver.status = 204
    clock.wait(seconds=5)
    turn()
    assert the_endpoint(hook).failing_since is None
    assert the_delivery(hook).status == "delivered"


def test_410_switches_a_webhook_off_at_once(acme, hook, receiver, turn):
    receiver.status = 410
    tell(acme)
    turn()
    row, gone = the_endpoint(hook), the_delivery(hook)
    assert (row.enabled, row.disabled_reason) == (False, "gone")
    assert (gone.status, gone.response_status, gone.attempts) == ("failed", 410, 1)
    with tenant_scope(acme):
        assert OutboxEvent.objects.filter(type="webhook.disabled").count() == 1


def test_a_webhook_that_is_switched_on_again_gets_what_waited(acme, hook, receiver, clock, turn):
    receiver.status = 500
    tell(acme)
    turn()
    change_endpoint(tenant=acme, endpoint_id=hook.endpoint_id, enabled=False)
    clock.wait(hours=1)
    turn()
    assert len(receiver.received) == 1
    receiver.status = 200
    change_endpoint(tenant=acme, endpoint_id=hook.endpoint_id, enabled=True)
    turn()
    assert the_delivery(hook).status == "delivered"
    assert the_endpoint(hook).failing_since is None


def test_a_redirect_is_a_failure_and_is_not_followed(acme, hook, receiver, turn):
    with receiving() as elsewhere:
        receiver.status, receiver.headers = 307, {"location": elsewhere.url}
        tell(acme)
        turn()
        assert elsewhere.received == []
    refused = the_delivery(hook)
    assert (refused.status, refused.response_status, refused.error) == ("pending", 307, "refused")


def test_an_endpoint_is_asked_again_no_sooner_than_it_says(acme, hook, receiver, clock, turn):
    receiver.status, receiver.headers = 429, {"retry-after": "120"}
    tell(acme)
    turn()
    assert the_delivery(hook).next_attempt_at == clock.now() + timedelta(seconds=120)


def test_an_answer_that_does_not_come_is_a_timeout_and_keeps_nobody_else_waiting_long(
    acme, hook, receiver, turn, monkeypatch
):
    monkeypatch.setattr(sending, "DEADLINE_SECONDS", 0.3)
    receiver.status = None
    with receiving() as quick:
        create_endpoint(tenant=acme, url=quick.url)
        tell(acme)
        turn()
        assert len(quick.received) == 1
    late = the_delivery(hook)
    assert (late.status, late.error, late.response_status) == ("pending", "timeout", None)


def test_a_name_service_that_is_silent_keeps_nobody_elses_outcome_back(acme, hook, receiver, clock, monkeypatch):
    release, known = threading.Event(), socket.getaddrinfo

    def lookup(host, *arguments, **options):
        if host == "silent.example.com":
            release.wait(20)
            raise socket.gaierror("no such name")
        return known(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(sending, "DEADLINE_SECONDS", 0.5)
    silent = create_endpoint(tenant=acme, url="https://silent.example.com/")
    tell(acme)
    worker = threading.Thread(target=take_turn, args=(clock,))
    worker.start()
    try:
        ends_at = time.monotonic() + 15
        while known_of(hook, silent) != [("delivered", ""), ("pending", "timeout")] and time.monotonic() < ends_at:
            release.wait(0.02)
        assert known_of(hook, silent) == [("delivered", ""), ("pending", "timeout")]
        assert worker.is_alive()
    finally:
        release.set()
        worker.join(20)


def known_of(*hooks):
    return [(each.status, each.error) for hook in hooks for each in deliveries(hook)]


def test_nothing_that_an_endpoint_says_is_kept(acme, hook, receiver, turn):
    receiver.status, receiver.body = 500, b"the secret of the endpoint " * 100_000
    tell(acme)
    turn()
    kept = the_delivery(hook)
    assert (kept.error, kept.response_status) == ("refused", 500)


def test_a_private_address_is_refused_when_it_is_connected_to(acme, hook, receiver, clock, turn, settings):
    settings.ENVIRONMENT = dataclasses.replace(project.ENVIRONMENT, orchestrator_env="production")
    tell(acme)
    turn()
    assert receiver.received == []
    assert (the_delivery(hook).status, the_delivery(hook).error) == ("pending", "address_refused")
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, egress_allow=("127.0.0.1",))
    replay(tenant=acme, delivery_id=the_delivery(hook).id, now=clock.now())
    turn()
    assert len(receiver.received) == 1


def test_after_a_rotation_both_secrets_sign_for_a_day(acme, hook, receiver, clock, turn):
    new = rotate_secret(tenant=acme, endpoint_id=hook.endpoint_id, now=clock.now())
    tell(acme)
    turn()
    message = receiver.received[-1]
    assert message.signed_with(new.secret, hook.secret)
    for secret in (new.secret, hook.secret):
        assert Webhook(secret).verify(message.body, message.headers)["type"] == "route.updated"
    clock.wait(hours=24)
    tell(acme)
    turn()
    assert receiver.received[-1].signed_with(new.secret)


def test_a_secret_that_does_not_open_sends_nothing(acme, hook, receiver, turn):
    row = the_endpoint(hook)
    with tenant_scope(acme):
        row.secret = bytes(row.secret)[:-1] + b"\0"
        row.save()
    tell(acme)
    turn()
    assert receiver.received == []
    assert the_delivery(hook).error == "secret_unreadable"


def test_what_was_delivered_is_sent_again_under_its_id_when_somebody_asks(acme, hook, receiver, clock, turn):
    tell(acme)
    turn()
    again = replay(tenant=acme, delivery_id=the_delivery(hook).id, now=clock.now())
    assert (again.status, again.attempts) == ("pending", 1)
    receiver.status = 500
    turn()
    assert receiver.ids == [str(again.event_id)] * 2
    waiting = the_delivery(hook)
    assert (waiting.attempts, waiting.next_attempt_at) == (2, clock.now() + timedelta(seconds=DELAYS[0]))


def test_what_a_dead_worker_had_is_taken_up_after_its_lease_and_its_ghost_is_not_heard(acme, hook, clock, turn):
    tell(acme)
    first = claim_first(hook, clock)
    assert claim_of(hook, clock) == []
    clock.wait(seconds=LEASE.total_seconds())
    (second,) = claim_of(hook, clock)
    assert second.attempt == 2
    record(first, Posted(duration_ms=1, status=200), now=clock.now(), chance=0.0)
    assert the_delivery(hook).status == "pending"
    record(second, Posted(duration_ms=1, status=200), now=clock.now(), chance=0.0)
    assert the_delivery(hook).status == "delivered"


def claim_first(hook, clock):
    fan_out(clock.now())
    (found,) = claim_of(hook, clock)
    return found


def claim_of(hook, clock):
    return [each for each in claim(clock.now()) if each.endpoint_id == hook.endpoint_id]


def test_what_came_of_an_attempt_before_a_replay_does_not_end_the_replay(acme, hook, receiver, clock, turn):
    tell(acme)
    before = claim_first(hook, clock)
    replay(tenant=acme, delivery_id=before.delivery_id, now=clock.now())
    record(before, Posted(duration_ms=1, status=410), now=clock.now(), chance=0.0)
    assert the_delivery(hook).status == "pending"


def test_two_workers_deliver_each_event_once(acme, hook, receiver, clock):
    for number in range(40):
        tell(acme, number=number)
    together = threading.Barrier(2)
    failures = []

    def work():
        together.wait(10)
        try:
            while take_turn(clock):
                continue
        except BaseException as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)
    assert failures == []
    assert {(each.status, each.error) for each in deliveries(hook)} == {("delivered", "")}
    assert len(receiver.received) == len(set(receiver.ids)) == 40


def test_one_webhook_that_hangs_takes_only_a_part_of_a_turn(acme, hook, receiver, clock):
    other = create_endpoint(tenant=acme, url=receiver.url, event_types=["route.removed"])
    for _ in range(30):
        tell(acme)
    tell(acme, "route.removed")
    fan_out(clock.now())
    taken = [each.endpoint_id for each in claim(clock.now())]
    assert taken.count(hook.endpoint_id) == 10
    assert taken.count(other.endpoint_id) == 1


def test_a_suspended_tenants_webhooks_wait(acme, hook, receiver, turn):
    tell(acme)
    set_tenant_state(tenant=acme, state="suspended")
    turn()
    assert receiver.received == []
    set_tenant_state(tenant=acme, state="active")
    turn()
    assert len(receiver.received) == 1


def test_a_webhook_that_is_removed_while_it_is_called_leaves_nothing(acme, hook, receiver, turn):
    receiver.status = 500
    receiver.on_message = lambda: delete_endpoint(tenant=acme, endpoint_id=hook.endpoint_id)
    tell(acme)
    turn()
    assert deliveries(hook) == []


def test_a_trial_is_one_attempt_whatever_comes_of_it(acme, hook, receiver, clock, turn):
    receiver.status = 500
    tried = try_out(tenant=acme, endpoint_id=hook.endpoint_id, now=clock.now())
    assert (tried.status, tried.attempts, tried.response_status) == (WebhookDelivery.FAILED, 1, 500)
    assert the_endpoint(hook).failing_since is None
    clock.wait(days=1)
    turn()
    assert len(receiver.received) == 1
    assert receiver.received[0].signed_with(hook.secret)
