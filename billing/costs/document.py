"""Figures as a caller sees them: one row is the same in JSON, in lines of JSON and in CSV."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from billing.costs.asking import CostQuery
from billing.costs.figures import CostReport, CostRow, Dimension, Figures
from billing.costs.forecast import COVERAGE, Forecast
from billing.costs.intervals import label_of
from billing.costs.summary import Summary
from common.money import usd_from_nano

COUNTS: Final = (
    "requests",
    "unpriced_requests",
    "attempts",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cache_hits",
)
MONEY: Final = ("cost", "charge", "saved_cost", "saved_charge")
AVERAGES: Final = ("latency_ms", "time_to_first_chunk_ms")


def rendered_figures(figures: Figures) -> dict[str, Any]:
    counts = {name: getattr(figures, name) for name in COUNTS}
    amounts: dict[str, Any] = {}
    for name in MONEY:
        amounts |= money(name, getattr(figures, f"{name}_nano"))
    averages = ((name, getattr(figures, name)) for name in AVERAGES)
    return {**counts, **amounts, **{name: None if value is None else round(value, 1) for name, value in averages}}


def money(name: str, nano: int) -> dict[str, Any]:
    return {f"{name}_nano_usd": nano, f"{name}_usd": f"{usd_from_nano(nano):f}"}


def rendered_row(query: CostQuery, report: CostReport, row: CostRow, names: Mapping[str, str]) -> dict[str, Any]:
    return {**headed(query, report, row), **labelled(report, row, names), **rendered_figures(row.figures)}


def headed(query: CostQuery, report: CostReport, row: CostRow) -> dict[str, Any]:
    """When the row's stretch begins, where there is more than one."""
    if query.interval is None:
        return {}
    return {"start": label_of(report.edges[row.interval], zone=query.zone, interval=query.interval)}


def labelled(report: CostReport, row: CostRow, names: Mapping[str, str]) -> dict[str, Any]:
    labels: dict[str, Any] = {each.value: label for each, label in zip(report.dimensions, row.labels, strict=True)}
    if Dimension.API_KEY in report.dimensions:
        key = labels[Dimension.API_KEY]
        labels["api_key_name"] = None if key is None else names.get(key)
    return labels


def rows_of(query: CostQuery, report: CostReport, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """An interval without any use has a row of zeros where nothing else tells rows apart: a chart needs it."""
    if query.interval is not None and not query.group_by:
        found = {row.interval: row for row in report.rows}
        stretches = range(len(report.edges) - 1)
        rows = [found.get(index, CostRow(index, (), Figures())) for index in stretches]
    else:
        rows = list(report.rows)
    return (rendered_row(query, report, row, names) for row in rows)


def costs_document(query: CostQuery, report: CostReport, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "object": "costs",
        **asked(query),
        "group_by": [each.value for each in query.group_by],
        "rows": list(rows_of(query, report, names)),
        "total": rendered_figures(report.total),
    }


def asked(query: CostQuery) -> dict[str, Any]:
    return {
        "from": local(query, query.edges[0]),
        "to": local(query, query.edges[-1]),
        "time_zone": query.zone.key,
        "interval": None if query.interval is None else query.interval.value,
    }


def local(query: CostQuery, moment: datetime) -> str:
    return moment.astimezone(query.zone).isoformat(timespec="minutes")


def summary_document(found: Summary, *, time_zone: str) -> dict[str, Any]:
    return {
        "object": "cost_summary",
        "time_zone": time_zone,
        "today": {"day": found.today.isoformat(), **rendered_figures(found.of_today)},
        "month_to_date": {"month": f"{found.month:%Y-%m}", **rendered_figures(found.month_to_date)},
        "last_month": rendered_figures(found.last_month),
        "forecast": {
            "cost": rendered_forecast(found.cost_forecast),
            "charge": rendered_forecast(found.charge_forecast),
        },
        "top_models": [{"model": row.labels[0], **rendered_figures(row.figures)} for row in found.top_models],
    }


def rendered_forecast(found: Forecast | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        **money("expected", found.expected_nano),
        **money("low", found.low_nano),
        **money("high", found.high_nano),
        "coverage": round(COVERAGE, 2),
        "days_known": found.days_known,
    }
