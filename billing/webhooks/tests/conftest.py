"""A tenant with webhooks, a receiver for them, and a clock that is set by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from billing.webhooks.endpoints import ShownSecret, create_endpoint
from billing.webhooks.models import WebhookDelivery, WebhookEndpoint
from billing.webhooks.tests.receiver import Receiver, receiving
from billing.webhooks.turns import take_turn
from providers.tests.callers import CallerOf, caller_of
from tenants.door import platform_scope
from tenants.identity import TenantRef
from tenants.tests.cast import MakeTenant

SCOPES = ("webhooks:read", "webhooks:write")


@dataclass
class HandSetClock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def wait(self, **time: float) -> None:
        self.moment += timedelta(**time)


@pytest.fixture
def clock() -> HandSetClock:
    """Begins at the true time, so that signatures are as young as they say."""
    return HandSetClock(datetime.now(UTC))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """A turn serves every tenant, those of other tests as well."""
    yield
    if request.node.get_closest_marker("django_db"):
        with platform_scope():
            WebhookEndpoint.objects.all().delete()


@pytest.fixture
def acme(make_tenant: MakeTenant) -> TenantRef:
    return make_tenant("acme").tenant


@pytest.fixture
def alice(acme: TenantRef) -> CallerOf:
    return caller_of(acme, *SCOPES, "providers:write")


@pytest.fixture
def charlie(make_tenant: MakeTenant) -> CallerOf:
    return caller_of(make_tenant("globex").tenant, *SCOPES)


@pytest.fixture
def hook(acme: TenantRef, receiver: Receiver) -> ShownSecret:
    """Acme's webhook at the receiver, for everything."""
    return create_endpoint(tenant=acme, url=receiver.url)


@pytest.fixture
def turn(clock: HandSetClock) -> Callable[[], int]:
    """A worker's turn at the time that the clock says, without jitter."""
    return lambda: take_turn(clock, chance=lambda: 0.0)


def the_endpoint(hook: ShownSecret) -> WebhookEndpoint:
    with platform_scope():
        return WebhookEndpoint.objects.get(id=hook.endpoint_id)


def deliveries(hook: ShownSecret) -> list[WebhookDelivery]:
    """The oldest first."""
    with platform_scope():
        return list(WebhookDelivery.objects.filter(endpoint_id=hook.endpoint_id).select_related("event").order_by("id"))


def the_delivery(hook: ShownSecret) -> WebhookDelivery:
    (found,) = deliveries(hook)
    return found
