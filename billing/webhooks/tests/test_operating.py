"""What operators see of webhooks, and how their secrets are moved to a new key."""

import dataclasses
from io import StringIO

import pytest
from django.core.management import call_command

from billing.tasks import deliver_webhooks, purge_events
from billing.webhooks.endpoints import rotate_secret
from billing.webhooks.outbox import emit
from billing.webhooks.tests.conftest import the_delivery
from providers.scope import keyring

pytestmark = pytest.mark.django_db(transaction=True)
NEW_KEY = "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmExMjM0NTY="


@pytest.fixture
def use_keys(settings):
    """Has the operator's keys be these."""

    def use(*keys):
        settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, encryption_key=keys)
        keyring.cache_clear()

    old = settings.ENVIRONMENT.encryption_key
    yield use
    use(*old)


def test_webhooks_secrets_are_moved_to_a_new_key_and_sign_as_before(
    acme, hook, receiver, clock, turn, use_keys, settings
):
    newest = rotate_secret(tenant=acme, endpoint_id=hook.endpoint_id, now=clock.now())
    use_keys(NEW_KEY, *settings.ENVIRONMENT.encryption_key)
    for moved in (1, 0):
        written = StringIO()
        call_command("rewrap_secrets", tenant=acme.slug, stdout=written)
        assert f"Moved {moved} secrets" in written.getvalue()
    use_keys(NEW_KEY)
    emit(tenant_id=acme.id, event_type="route.updated", payload={})
    turn()
    assert receiver.received[0].signed_with(newest.secret, hook.secret)


def test_the_workers_tasks_deliver_and_purge(acme, hook, receiver):
    emit(tenant_id=acme.id, event_type="route.updated", payload={})
    assert deliver_webhooks() >= 1
    purge_events()
    assert len(receiver.received) == 1
    assert the_delivery(hook).status == "delivered"


def test_operators_look_at_webhooks_and_change_none(operator, acme, hook, receiver, turn):
    emit(tenant_id=acme.id, event_type="route.updated", payload={"name": "fast"})
    turn()
    sent = the_delivery(hook)
    for model, row_id in (
        ("webhookendpoint", hook.endpoint_id),
        ("outboxevent", sent.event_id),
        ("webhookdelivery", sent.id),
    ):
        listed = operator.get(f"/admin/billing/{model}/", {"q": str(row_id)})
        assert str(row_id) in listed.content.decode()
        shown = operator.get(f"/admin/billing/{model}/{row_id}/change/")
        assert shown.status_code == 200
        assert hook.secret not in shown.content.decode()
        assert 'name="_save"' not in shown.content.decode()
        assert operator.post(f"/admin/billing/{model}/{row_id}/delete/", {"post": "yes"}).status_code == 403
