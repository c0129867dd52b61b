"""Events are written with the change that they tell of, once, and for whom they are."""

import contextlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from billing.webhooks.models import OutboxEvent, WebhookDelivery
from billing.webhooks.outbox import LARGEST_PAYLOAD, emit
from billing.webhooks.purging import KEPT, purge
from common.ids import earliest_id
from providers.actions.credentials import set_credential
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.actions.routes import change_route, create_route, delete_route
from providers.scope import owner_scope
from tenants.door import platform_scope, tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://api.example.com/v1"


def events(tenant):
    with tenant_scope(tenant):
        return list(OutboxEvent.objects.order_by("id").values_list("type", "payload"))


def test_a_change_and_its_event_are_there_together_or_not_at_all(acme):
    with contextlib.suppress(ZeroDivisionError), owner_scope(acme):
        create_provider(owner=acme, name="undone", base_url=URL)
        raise ZeroDivisionError
    assert events(acme) == []
    made = create_provider(owner=acme, name="vendor", base_url=URL)
    assert events(acme) == [("provider.created", {"id": str(made), "name": "vendor"})]


def test_a_provider_and_a_route_are_told_of_from_their_making_to_their_end(acme):
    made = create_provider(owner=acme, name="vendor", base_url=URL)
    set_credential(owner=acme, provider_id=made, secret="sk-untold-0123456789")
    change_provider(owner=acme, provider_id=made, enabled=False)
    delete_provider(owner=acme, provider_id=made)
    route = create_route(owner=acme, name="fast", targets=["vendor/m"])
    change_route(owner=acme, route_id=route, policy={"sticky": True})
    delete_route(owner=acme, route_id=route)
    told = events(acme)
    assert [name for name, _ in told] == [
        *("provider.created", "provider.updated", "provider.updated", "provider.removed"),
        *("route.created", "route.updated", "route.removed"),
    ]
    assert "sk-untold" not in str(told)


def test_a_transaction_tells_once_of_a_provider(acme):
    with owner_scope(acme):
        made = create_provider(owner=acme, name="vendor", base_url=URL)
        set_credential(owner=acme, provider_id=made, secret="sk-0123456789")
    assert [name for name, _ in events(acme)] == ["provider.created"]


def test_the_platforms_own_configuration_is_no_tenants_to_hear_of(acme):
    def written():
        with platform_scope():
            return OutboxEvent.objects.count()

    before = written()
    made = create_provider(owner=None, name=f"platforms-{acme.id.hex[:20]}", base_url=URL, enabled=False)
    delete_provider(owner=None, provider_id=made)
    assert written() == before


def test_what_is_told_once_is_told_once_for_each_tenant(acme, make_tenant):
    other = make_tenant("other").tenant
    for tenant in (acme, acme, other):
        with tenant_scope(tenant):
            emit(tenant_id=tenant.id, event_type="route.updated", payload={}, once="the-same")
    emit(tenant_id=acme.id, event_type="route.updated", payload={}, once="another")
    assert (len(events(acme)), len(events(other))) == (2, 1)


def test_no_tenant_tells_in_anothers_name_or_sees_what_it_is_told(acme, make_tenant):
    other = make_tenant("other").tenant
    with pytest.raises(Exception, match="row-level security"), tenant_scope(other):
        emit(tenant_id=acme.id, event_type="route.updated", payload={})
    emit(tenant_id=acme.id, event_type="route.updated", payload={})
    assert (len(events(acme)), events(other)) == (1, [])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"event_type": "unheard.of"}, "unheard.of"),
        ({"payload": {"long": "x" * LARGEST_PAYLOAD}}, "larger"),
        ({"once": "x" * 201}, "longer"),
    ],
)
def test_what_nobody_could_be_told_is_refused(acme, wrong, named):
    with pytest.raises(ValueError, match=named):
        emit(**{"tenant_id": acme.id, "event_type": "route.updated", "payload": {}} | wrong)


def test_old_events_go_with_their_deliveries_and_young_ones_stay(acme, hook):
    now = datetime.now(UTC)

    def add(age: timedelta) -> UUID:
        event = OutboxEvent.objects.create(
            id=UUID(int=earliest_id(now - age).int + acme.id.int % 2**60),
            tenant_id=acme.id,
            type="route.updated",
            payload={},
        )
        WebhookDelivery.objects.create(tenant_id=acme.id, event=event, endpoint_id=hook.endpoint_id)
        return event.id

    with platform_scope():
        add(KEPT + timedelta(minutes=1))
        young = add(KEPT - timedelta(minutes=1))
    purge(now)
    with platform_scope():
        assert [each.event_id for each in WebhookDelivery.objects.filter(tenant_id=acme.id)] == [young]
        assert OutboxEvent.objects.get(tenant_id=acme.id).id == young
