"""What others are told of a provider, and when."""

import contextlib

import pytest

from providers.actions.credentials import set_credential
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import change_provider, create_provider, delete_provider
from providers.actions.routes import change_route, create_route, delete_route, learn_route
from providers.actions.templates import create_from_template
from providers.scope import owner_scope
from providers.signals import (
    provider_created,
    provider_removed,
    provider_updated,
    route_created,
    route_removed,
    route_updated,
)

pytestmark = pytest.mark.django_db(transaction=True)

SIGNALS = {"created": provider_created, "updated": provider_updated, "removed": provider_removed}


@pytest.fixture
def acme(make_tenant):
    return make_tenant("acme").tenant


@pytest.fixture
def told():
    """What was sent: (what, owner, provider's id, name)."""
    heard = []
    receivers = []
    for what, signal in SIGNALS.items():

        def receive(sender, owner, provider_id, name, what=what, **more):
            assert more.keys() == {"signal"}
            heard.append((what, owner, provider_id, name))

        receivers.append((signal, receive))
        signal.connect(receive)
    yield heard
    for signal, receive in receivers:
        signal.disconnect(receive)


def create(owner, name="vendor"):
    return create_provider(owner=owner, name=name, base_url="http://127.0.0.1:9/v1")


def test_a_provider_is_told_of_from_its_making_to_its_end(acme, told):
    provider_id = create(acme)
    change_provider(owner=acme, provider_id=provider_id, enabled=False)
    change_provider(owner=acme, provider_id=provider_id, enabled=False)
    set_credential(owner=acme, provider_id=provider_id, secret="sk-untold")
    offer_models(owner=acme, provider_id=provider_id, offers=[ModelOffer(name="m")])
    delete_provider(owner=acme, provider_id=provider_id)
    assert [what for what, *_ in told] == ["created", "updated", "updated", "updated", "removed"]
    assert {(owner, row_id, name) for _, owner, row_id, name in told} == {(acme, provider_id, "vendor")}
    assert "sk-untold" not in str(told)


def test_nothing_is_told_before_it_is_so_nor_of_what_was_undone(acme, told):
    with owner_scope(acme):
        create(acme)
        assert told == []
    assert [what for what, *_ in told] == ["created"]

    with contextlib.suppress(ZeroDivisionError), owner_scope(acme):
        create(acme, "undone")
        raise ZeroDivisionError
    assert len(told) == 1


def test_a_transaction_tells_once_of_a_provider(acme, told):
    create_from_template(owner=acme, template="groq", name="groq", values={"API_KEY": "k"})
    assert [what for what, *_ in told] == ["created"]
    with owner_scope(acme):
        other = create(acme, "other")
        offer_models(owner=acme, provider_id=other, offers=[ModelOffer(name="m")])
        delete_provider(owner=acme, provider_id=other)
    assert [what for what, *_ in told[1:]] == ["created", "removed"]


def test_a_receiver_that_fails_undoes_nothing(acme, told, caplog):
    def fail(**_):
        raise ZeroDivisionError("a receiver's own fault")

    provider_created.connect(fail)
    try:
        provider_id = create(acme)
    finally:
        provider_created.disconnect(fail)
    assert [row_id for *_, row_id, _ in told] == [provider_id]
    assert "a receiver's own fault" in caplog.text


def test_a_route_is_told_of_from_its_making_to_its_end(acme):
    heard = []

    def receive(signal, sender, owner, route_id, name):
        heard.append((signal, owner, route_id, name))

    signals = (route_created, route_updated, route_removed)
    for each in signals:
        each.connect(receive)
    try:
        route_id = create_route(owner=acme, name="fast", targets=["a/b"])
        for _ in range(2):
            change_route(owner=acme, route_id=route_id, policy={"sticky": True})
        learn_route(owner=acme, route_id=route_id, learned={"x": 1.0})
        delete_route(owner=acme, route_id=route_id)
    finally:
        for each in signals:
            each.disconnect(receive)
    assert heard == [(each, acme, route_id, "fast") for each in signals]
