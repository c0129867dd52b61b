"""The forecast of a month's end, held against months that were kept back."""

import math
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from billing.costs.forecast import HISTORY_DAYS, Forecast, forecast

FIRST = date(2025, 1, 1)
DAYS = 420
BUSINESS = (1.0, 1.1, 1.15, 1.1, 0.95, 0.2, 0.15)
FLAT = (1.0,) * 7


def spending(seed, *, weekdays, noise, drift):
    """Daily sums in nano-USD: a profile of the week, a noise of its own each day, a level that wanders."""
    chance = Random(seed)
    level, days = math.log(5e9), []
    for index in range(DAYS):
        level += chance.gauss(0, drift)
        weekday = (FIRST + timedelta(days=index)).weekday()
        days.append(round(weekdays[weekday] * math.exp(level + chance.gauss(0, noise))))
    return days


def known(daily, **question: Any) -> Forecast:
    found = forecast(daily, **question)
    assert found is not None
    return found


def held_out(days, today):
    """The forecast of that morning, some of today spent, and what the month came to."""
    index = (today - FIRST).days
    month = today.replace(day=1)
    month_end = (month + timedelta(days=32)).replace(day=1)
    today_nano = days[index] // 3
    begun = (month - FIRST).days
    found = known(
        days[index - HISTORY_DAYS : index],
        spent_nano=sum(days[begun:index]) + today_nano,
        today=today,
        today_nano=today_nano,
        month_end=month_end,
        seed=index,
    )
    return found, sum(days[begun : (month_end - FIRST).days])


REGIMES = {
    "a steady business": {"weekdays": BUSINESS, "noise": 0.25, "drift": 0.0},
    "a wandering business": {"weekdays": BUSINESS, "noise": 0.3, "drift": 0.03},
    "a noisy toy": {"weekdays": FLAT, "noise": 0.8, "drift": 0.0},
    "calm and wandering": {"weekdays": FLAT, "noise": 0.1, "drift": 0.05},
}


@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_the_interval_holds_four_of_five_held_out_month_ends(regime):
    covered = asked = 0
    for seed in range(12):
        days = spending(seed, **regime)
        for month in range(4, 14):
            today = date(2025 + month // 12, month % 12 + 1, 4 + seed * 2)
            if today + timedelta(days=31) < FIRST + timedelta(days=DAYS):
                found, truth = held_out(days, today)
                covered += found.low_nano <= truth <= found.high_nano
                asked += 1
    assert asked >= 90
    assert covered / asked >= 0.8, (covered, asked)


def test_it_knows_weekends():
    days = [round(10e9 * BUSINESS[(FIRST + timedelta(days=index)).weekday()]) for index in range(DAYS)]
    found, truth = held_out(days, date(2025, 6, 10))
    assert abs(found.expected_nano - truth) < truth * 0.001
    assert found.low_nano <= truth <= found.high_nano


def test_it_is_worth_having():
    """An interval that held everything would be none."""
    days = spending(3, weekdays=BUSINESS, noise=0.25, drift=0.0)
    found, truth = held_out(days, date(2025, 6, 15))
    assert found.high_nano - found.low_nano < truth * 0.5


def test_the_last_day_of_a_month_is_nearly_known():
    days = spending(3, weekdays=BUSINESS, noise=0.25, drift=0.0)
    found, truth = held_out(days, date(2025, 6, 30))
    assert found.low_nano <= truth
    assert found.high_nano - found.low_nano < truth * 0.1


def test_never_less_than_what_is_spent():
    found = known([10] * 56, spent_nano=10**9, today=date(2025, 6, 30), today_nano=10**9, month_end=date(2025, 7, 1))
    assert (found.low_nano, found.expected_nano, found.high_nano) == (10**9,) * 3


def test_without_history_there_is_none_and_a_day_of_it_is_said():
    question: Any = {"spent_nano": 5, "today": date(2025, 6, 2), "today_nano": 5, "month_end": date(2025, 7, 1)}
    assert forecast([], **question) is None
    found = known([100], **question)
    assert found.days_known == 1
    assert found.low_nano < found.expected_nano < found.high_nano


def test_nothing_spent_is_nothing_expected():
    question: Any = {"spent_nano": 0, "today": date(2025, 6, 2), "today_nano": 0, "month_end": date(2025, 7, 1)}
    found = known([0] * 56, **question)
    assert (found.low_nano, found.expected_nano, found.high_nano) == (0, 0, 0)


def test_the_same_question_has_the_same_answer():
    days = spending(1, weekdays=BUSINESS, noise=0.5, drift=0.02)
    assert held_out(days, date(2025, 6, 9)) == held_out(days, date(2025, 6, 9))
