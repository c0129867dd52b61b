"""When what failed is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from billing.webhooks.schedule import DELAYS, seconds_to_next


def test_the_attempts_span_three_days_and_then_end():
    waits = [seconds_to_next(attempt, 0.0) for attempt in range(1, len(DELAYS) + 1)]
    assert waits == list(DELAYS)
    assert 3 * 86_400 <= sum(DELAYS) < 4 * 86_400
    assert seconds_to_next(len(DELAYS) + 1, 0.0) is None


@given(st.integers(1, len(DELAYS)), st.floats(0, 1))
def test_jitter_adds_a_tenth_at_most(attempt, chance):
    wait = seconds_to_next(attempt, chance)
    assert wait is not None
    assert DELAYS[attempt - 1] <= wait <= DELAYS[attempt - 1] * 1.1


def test_an_endpoint_is_asked_no_sooner_than_it_says_and_not_for_ever_later():
    assert seconds_to_next(1, 0.0, retry_after=90.0) == 90.0
    assert seconds_to_next(2, 0.0, retry_after=90.0) == 300.0
    assert seconds_to_next(1, 0.0, retry_after=10**9) == 86_400.0
    assert seconds_to_next(len(DELAYS) + 1, 0.0, retry_after=5.0) is None
