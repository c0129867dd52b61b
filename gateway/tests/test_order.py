"""Which target is next after what went wrong."""

import pytest

from gateway.failover.order import Order
from gateway.routing.plan import Plan, Planned
from providers.catalogue import Candidate
from providers.wire.shapes import Target


def candidate(name, *, credential="", window=None, cause=""):
    provider, _, model = name.partition("/")
    target = Target(
        provider=provider,
        provider_scope="tenant",
        wire="openai",
        base_url="http://nowhere",
        model=model,
        headers=(),
        price=None,
        credential=credential,
        context_window=window,
        key=f"t:1/{name}#{credential}",
    )
    return Candidate(target, role="fallback" if cause else "target", cause=cause)


def order_of(*candidates):
    own = tuple(Planned(each, "priority") for each in candidates if not each.cause)
    return Order(Plan(own, fallbacks=tuple(each for each in candidates if each.cause)))


def rest_of(order):
    found = []
    while (planned := order.next()) is not None:
        target = planned.candidate.target
        found.append(f"{target.provider}/{target.model}{target.credential and '#' + target.credential}")
    return found


def test_a_failing_model_is_asked_under_its_other_credential_last_of_all():
    order = order_of(candidate("a/m", credential="1"), candidate("a/m", credential="2"), candidate("b/m"))
    order.failed(order.next(), "failed")
    assert rest_of(order) == ["b/m", "a/m#2"]


def test_a_dead_credential_is_followed_by_the_next_of_the_same_model():
    order = order_of(candidate("a/m", credential="1"), candidate("a/m", credential="2"), candidate("b/m"))
    order.failed(order.next(), "credential")
    assert rest_of(order) == ["a/m#2", "b/m"]


@pytest.mark.parametrize("after", ["failed", "rate_limited", "context_too_long", "content_refused"])
def test_a_rejection_ends_everything_whatever_fails_after_it(after):
    order = order_of(candidate("a/m"), candidate("b/m"), candidate("c/m", cause="any"), candidate("d/m", cause=after))
    first, second = order.next(), order.next()
    order.failed(second, "rejected")
    order.failed(first, after)
    assert rest_of(order) == []
    assert not order.may(first.candidate)


def test_refused_content_goes_to_other_models_that_the_route_names_for_it():
    order = order_of(
        candidate("a/m"),
        candidate("b/m"),
        candidate("c/m", cause="content_refused"),
        candidate("c/n", cause="content_refused"),
        candidate("d/o", cause="any"),
    )
    order.failed(order.next(), "content_refused")
    assert rest_of(order) == ["c/n"]


def test_too_long_a_context_goes_to_what_is_known_to_read_more_or_was_named_for_it():
    order = order_of(
        candidate("a/m", window=8, credential="1"),
        candidate("a/m", window=8, credential="2"),
        candidate("b/n", window=8),
        candidate("c/o", window=9),
        candidate("d/p"),
        candidate("e/q", cause="context_too_long"),
        candidate("a/m", credential="3", cause="any"),
        candidate("f/r", window=4, cause="any"),
        candidate("g/s", window=16, cause="any"),
    )
    order.failed(order.next(), "context_too_long")
    assert rest_of(order) == ["c/o", "e/q", "g/s"]


def test_fallbacks_for_a_cause_come_before_those_for_any():
    order = order_of(candidate("a/m"), candidate("b/m", cause="any"), candidate("c/m", cause="rate_limited"))
    order.failed(order.next(), "rate_limited")
    assert rest_of(order) == ["c/m", "b/m"]
