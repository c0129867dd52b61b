"""What a tenant's page about cost begins with: today, this month, the last, and what this one will come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from billing.costs.figures import ANY, CostRow, Dimension, Figures, Only, summed
from billing.costs.forecast import HISTORY_DAYS, Forecast, forecast
from billing.costs.intervals import days_between, midnight
from billing.costs.query import costs
from tenants.door import TenantRef

TOP: Final = 5


@dataclass(frozen=True, slots=True)
class Summary:
    """Of local days. The forecasts are of the whole month, None before the first day with any spending is over.

    `top_models` are this month's dearest.
    """

    today: date
    month: date
    of_today: Figures
    month_to_date: Figures
    last_month: Figures
    cost_forecast: Forecast | None
    charge_forecast: Forecast | None
    top_models: tuple[CostRow, ...]


def summary(tenant: TenantRef, *, now: datetime, zone: ZoneInfo, only: Only = ANY) -> Summary:
    today = now.astimezone(zone).date()
    month, tomorrow = today.replace(day=1), today + timedelta(days=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    first = min(last_month, today - timedelta(days=HISTORY_DAYS))
    days = figures_of_days(tenant, first, tomorrow, zone, only)
    models = costs(
        tenant, edges=[midnight(month, zone), midnight(tomorrow, zone)], group_by=[Dimension.MODEL], only=only
    )
    return Summary(
        today=today,
        month=month,
        of_today=days[today],
        month_to_date=between(days, month, tomorrow),
        last_month=between(days, last_month, month),
        cost_forecast=forecast_of({day: figures.cost_nano for day, figures in days.items()}, today),
        charge_forecast=forecast_of({day: figures.charge_nano for day, figures in days.items()}, today),
        top_models=models.rows[:TOP],
    )


def figures_of_days(tenant: TenantRef, first: date, end: date, zone: ZoneInfo, only: Only) -> dict[date, Figures]:
    """Every day's, up to `end`, not included."""
    days = list(days_between(first, end))
    report = costs(tenant, edges=[midnight(day, zone) for day in [*days, end]], only=only)
    found = {row.interval: row.figures for row in report.rows}
    return {day: found.get(index, Figures()) for index, day in enumerate(days)}


def between(days: Mapping[date, Figures], first: date, end: date) -> Figures:
    return summed([figures for day, figures in days.items() if first <= day < end])


def forecast_of(amounts: Mapping[date, int], today: date) -> Forecast | None:
    """By the days since anything was spent; `amounts` has every day up to today."""
    past = [amount for day, amount in amounts.items() if today - timedelta(days=HISTORY_DAYS) <= day < today]
    begun = next((index for index, amount in enumerate(past) if amount), len(past))
    month = today.replace(day=1)
    return forecast(
        past[begun:],
        spent_nano=sum(amount for day, amount in amounts.items() if day >= month),
        today=today,
        today_nano=amounts[today],
        month_end=(month + timedelta(days=32)).replace(day=1),
        seed=today.toordinal(),
    )
