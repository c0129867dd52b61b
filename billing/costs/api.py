"""GET /v1/costs, /v1/costs/analytics and /v1/users/me/usage."""

from datetime import UTC, datetime
from typing import Any, Final, cast

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.costs.asking import (
    DEFAULT_DAYS,
    LONGEST_DAYS,
    LONGEST_HOURS,
    MINE,
    MOST_INTERVALS,
    CostQuery,
    Format,
    parse_costs,
)
from billing.costs.document import asked, costs_document, rendered_figures, rows_of, summary_document
from billing.costs.export import MEDIA_TYPES, exported
from billing.costs.figures import CostReport, Dimension, Only
from billing.costs.intervals import Interval
from billing.costs.query import costs
from billing.costs.schema import CostsSchema, CostSummarySchema, MyUsageSchema
from billing.costs.summary import summary
from billing.reports import key_names
from billing.usage_query import parse_zone
from common.errors import InvalidRequest
from providers.card_filters import refuse_unknown, single
from tenants.api_authentication import Caller, caller_with
from tenants.scopes import Scope

MOST_ROWS: Final = 10_000
ZONE: Final = OpenApiParameter("timezone", str, description="IANA name; without it, the tenant's time zone.")
SPAN: Final = [
    OpenApiParameter(
        "period",
        str,
        description=(
            f"Days up to and with today like `7d`, at most {LONGEST_DAYS}, or hours up to now like `24h`, at most "
            f"{LONGEST_HOURS}; instead of `from` and `to`."
        ),
    ),
    OpenApiParameter("from", OpenApiTypes.DATE, description=f"First day; without it, {DEFAULT_DAYS} before `to`."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="Day after the last; without it, tomorrow."),
    ZONE,
    OpenApiParameter("interval", str, enum=list(Interval), description="A row for each; without it, one for all."),
]
SEVERAL: Final = "One or several, separated by commas."


class JsonAlone(BaseContentNegotiation):
    """Answers are JSON whatever is accepted, and `format` is a parameter of this API's own."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class CostsView(APIView):
    """Where the month stands."""

    @extend_schema(
        operation_id="costs",
        summary="Cost at a glance",
        description=(
            "Today, this month, last month, and what this one will come to, with an interval: by eight weeks of "
            "history. Days and months are local ones. Needs the scope `usage:read`."
        ),
        parameters=[ZONE],
        responses={200: CostSummarySchema},
    )
    def get(self, request: Request) -> Response:
        caller = caller_with(request, Scope.USAGE_READ)
        query = query_of(request)
        refuse_unknown(query, ("timezone",))
        zone = parse_zone(single(query, "timezone") or caller.time_zone)
        found = summary(caller.tenant, now=datetime.now(UTC), zone=zone)
        return Response(summary_document(found, time_zone=zone.key))


class AnalyticsView(APIView):
    """Where the money went."""

    content_negotiation_class = JsonAlone

    @extend_schema(
        operation_id="costAnalytics",
        summary="Cost by model, provider, key, user and time",
        description=(
            "The dearest first within each interval. In JSON at most "
            f"{MOST_INTERVALS} intervals and {MOST_ROWS} rows; CSV and lines of JSON are streamed whatever their size. "
            "Needs the scope `usage:read`."
        ),
        parameters=[
            *SPAN,
            OpenApiParameter(
                "group_by", str, description=f"Any of {', '.join(f'`{each}`' for each in Dimension)}, with commas."
            ),
            OpenApiParameter("model", str, description=f"`provider/model`. {SEVERAL}"),
            OpenApiParameter("provider", str, description=SEVERAL),
            OpenApiParameter("api_key", str, description=f"Ids. {SEVERAL}"),
            OpenApiParameter("user", str, description=f"Ids. {SEVERAL}"),
            OpenApiParameter("format", str, enum=list(Format), description="`json` without it."),
        ],
        responses={
            (200, "application/json"): CostsSchema,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        caller = caller_with(request, Scope.USAGE_READ)
        query = parse_costs(query_of(request), time_zone=caller.time_zone, now=datetime.now(UTC))
        names = key_names(caller.tenant) if Dimension.API_KEY in query.group_by else {}
        if query.format is Format.JSON:
            return Response(costs_document(query, bounded(caller, query), names))
        return StreamingHttpResponse(
            exported(caller.tenant, query, names),
            content_type=MEDIA_TYPES[query.format],
            headers={"Content-Disposition": f'attachment; filename="costs.{query.format}"'},
        )


class MyUsageView(APIView):
    """What the key's user used."""

    @extend_schema(
        operation_id="myUsage",
        summary="Usage of the key's user",
        description=(
            "Of all that the key's user did, by any key, or of the key alone where it is nobody's; by model. Needs the "
            "scope `usage:read` or `completions:write`."
        ),
        parameters=SPAN,
        responses={200: MyUsageSchema},
    )
    def get(self, request: Request) -> Response:
        caller = cast(Caller, request.auth)
        if Scope.COMPLETIONS_WRITE not in caller.scopes:
            caller = caller_with(request, Scope.USAGE_READ)
        query = parse_costs(query_of(request), time_zone=caller.time_zone, now=datetime.now(UTC), known=MINE)
        query = mine(query, caller)
        report = bounded(caller, query)
        return Response(
            {
                "object": "user_usage",
                "user_id": text_of(caller.user_id),
                "api_key_id": text_of(caller.key_id) if caller.user_id is None else None,
                **asked(query),
                "rows": list(rows_of(query, report, {})),
                "total": rendered_figures(report.total),
            }
        )


def mine(query: CostQuery, caller: Caller) -> CostQuery:
    only = Only(api_keys=(caller.key_id,)) if caller.user_id is None else Only(users=(caller.user_id,))
    return CostQuery(query.edges, query.zone, query.interval, (Dimension.MODEL,), only, query.format)


def bounded(caller: Caller, query: CostQuery) -> CostReport:
    """Raises InvalidRequest for more rows than an answer in one piece may have."""
    report = costs(caller.tenant, edges=query.edges, group_by=query.group_by, only=query.only, most=MOST_ROWS + 1)
    if len(report.rows) > MOST_ROWS:
        raise InvalidRequest(
            f"This has more than {MOST_ROWS} rows: ask for fewer dimensions, a longer interval, a shorter range, or "
            f"for format={Format.CSV} at /v1/costs/analytics.",
            param="interval",
        )
    return report


def query_of(request: Request) -> dict[str, list[str]]:
    return {name: list(values) for name, values in request.query_params.lists()}


def text_of(identifier: object) -> str | None:
    return None if identifier is None else str(identifier)
