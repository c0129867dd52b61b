"""The throughput guard, on a clock that is moved by hand."""

import pytest

from gateway.failover.pace import BYTES_PER_TOKEN, WINDOW_SECONDS, Pace
from gateway.tests.held_clock import HeldClock


@pytest.fixture
def clock():
    return HeldClock()


def read(pace, clock, output_bytes, seconds):
    pace.waits()
    clock.pass_by(seconds)
    return pace.check(output_bytes)


@pytest.mark.parametrize(("tokens", "is_slow"), [(9, True), (10, False)])
def test_an_answer_is_measured_over_a_window(clock, tokens, is_slow):
    pace = Pace(10 / WINDOW_SECONDS, clock.monotonic)
    assert read(pace, clock, 0, WINDOW_SECONDS * 0.9) is None
    slow = read(pace, clock, tokens * BYTES_PER_TOKEN, WINDOW_SECONDS * 0.1)
    assert (slow is not None) == is_slow
    if slow is not None:
        assert (slow.status, slow.code) == (504, "upstream_slow")


def test_each_window_counts_for_itself(clock):
    pace = Pace(2.0, clock.monotonic)
    assert read(pace, clock, 1_000_000, WINDOW_SECONDS) is None
    assert read(pace, clock, 1_000_001, WINDOW_SECONDS) is not None


def test_what_a_caller_takes_its_time_for_is_not_the_providers_slowness(clock):
    pace = Pace(2.0, clock.monotonic)
    for number in range(20):
        assert read(pace, clock, 8 * number, 0.01) is None
        clock.pass_by(WINDOW_SECONDS * 3)
