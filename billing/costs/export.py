"""Costs as lines, a stretch of the range at a time, so that a year by quarters of an hour is never held at once."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from billing.costs.asking import CostQuery, Format
from billing.costs.document import AVERAGES, COUNTS, MONEY, rows_of
from billing.costs.figures import Dimension
from billing.costs.query import costs_in_scope
from tenants.door import TenantRef, tenant_db

INTERVALS_AT_ONCE: Final = 500
MEDIA_TYPES: Final = {Format.CSV: "text/csv; charset=utf-8", Format.LINES: "application/x-ndjson"}
# What a spreadsheet would take for a formula: names may come from whoever asks for a model.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def exported(tenant: TenantRef, query: CostQuery, names: Mapping[str, str]) -> AsyncIterator[str]:
    """The text of the export, piece by piece. A failure breaks it off: what ends in a whole row may not be whole."""
    written = WRITERS[query.format]
    if query.format is Format.CSV:
        yield header_of(query)
    for part in parts_of(query):
        report = await tenant_db(
            tenant, costs_in_scope, tenant, edges=part.edges, group_by=part.group_by, only=part.only
        )
        yield written(rows_of(part, report, names))


def parts_of(query: CostQuery) -> Iterator[CostQuery]:
    edges = query.edges
    for start in range(0, len(edges) - 1, INTERVALS_AT_ONCE):
        yield replace(query, edges=edges[start : start + INTERVALS_AT_ONCE + 1])


def columns_of(query: CostQuery) -> list[str]:
    """In the order of `document.rendered_row`."""
    money = [f"{name}{unit}" for name in MONEY for unit in ("_nano_usd", "_usd")]
    named = ["api_key_name"] if Dimension.API_KEY in query.group_by else []
    start = ["start"] if query.interval is not None else []
    return [*start, *(each.value for each in query.group_by), *named, *COUNTS, *money, *AVERAGES]


def header_of(query: CostQuery) -> str:
    return csv_line(columns_of(query))


def as_csv(rows: Iterator[dict[str, Any]]) -> str:
    return "".join(csv_line([harmless(value) for value in row.values()]) for row in rows)


def csv_line(values: list[Any]) -> str:
    """RFC 4180."""
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def as_lines(rows: Iterator[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


WRITERS: Final[dict[Format, Callable[[Iterator[dict[str, Any]]], str]]] = {Format.CSV: as_csv, Format.LINES: as_lines}
