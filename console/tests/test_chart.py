"""The bars keep within their drawing and tell small from none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import chart

DAYS = [date(2026, 11, 15) + timedelta(days=number) for number in range(7)]


@given(st.lists(st.integers(0, 10**12), min_size=7, max_size=7))
def test_bars_keep_within_the_drawing(values):
    drawn = chart.bars(DAYS, values)
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.WIDTH + 0.1 for bar in drawn)
    assert all(bar.y >= chart.LABEL_ROOM - 0.1 and bar.y + bar.height <= chart.BASE + 0.1 for bar in drawn)
    assert [bar.height > 0 for bar in drawn] == [value > 0 for value in values]


def test_the_largest_is_as_high_as_the_chart_and_half_is_half():
    low, high, *_ = chart.bars(DAYS, [5, 10, 0, 0, 0, 0, 0])
    assert high.height == chart.HEIGHT - 2 * chart.LABEL_ROOM
    assert low.height == pytest.approx(high.height / 2)


def test_labels_are_days_and_figures():
    first = chart.bars(DAYS, [1234567, 0, 0, 0, 0, 0, 0])[0]
    assert (first.weekday, first.day, first.value) == ("Sun", 15, "1,234,567")
