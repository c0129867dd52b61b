"""GET /v1/usage."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.reports import Amounts, UsageReport, UsageRow, usage
from billing.usage_query import DEFAULT_DAYS, LONGEST_DAYS, UsageQuery, parse_usage_query
from common.money import usd_from_nano
from tenants.api_authentication import caller_with
from tenants.scopes import Scope

EXAMPLE = {
    "object": "usage",
    "from": "2026-11-20",
    "to": "2026-11-21",
    "time_zone": "Europe/Berlin",
    "group_by": "model",
    "rows": [
        {
            "model": "openai/gpt-4o-mini",
            "requests": 2,
            "unpriced_requests": 0,
            "input_tokens": 1200,
            "output_tokens": 340,
            "cache_read_tokens": 1024,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
            "cost_nano_usd": 307200,
            "cost_usd": "0.000307200",
            "charge_nano_usd": 307200,
            "charge_usd": "0.000307200",
        }
    ],
    "total": {
        "requests": 2,
        "unpriced_requests": 0,
        "input_tokens": 1200,
        "output_tokens": 340,
        "cache_read_tokens": 1024,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "cost_nano_usd": 307200,
        "cost_usd": "0.000307200",
        "charge_nano_usd": 307200,
        "charge_usd": "0.000307200",
    },
}


class AmountsSchema(serializers.Serializer[Any]):
    requests = serializers.IntegerField(help_text="Requests that reached a provider, failed ones included.")
    unpriced_requests = serializers.IntegerField(help_text="Of these, the ones whose model has no known price.")
    input_tokens = serializers.IntegerField(help_text="Everything sent, cached tokens included.")
    output_tokens = serializers.IntegerField(help_text="Everything generated, reasoning tokens included.")
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    cost_nano_usd = serializers.IntegerField(help_text="What the providers take, in 10⁻⁹ USD.")
    cost_usd = serializers.CharField(help_text="The same in USD, nine places.")
    charge_nano_usd = serializers.IntegerField(help_text="What you pay, in 10⁻⁹ USD.")
    charge_usd = serializers.CharField(help_text="The same in USD, nine places.")


class UsageRowSchema(AmountsSchema):
    day = serializers.DateField(required=False, help_text="Grouped by day.")
    model = serializers.CharField(required=False, help_text="Grouped by model: `provider/model`.")
    key = serializers.UUIDField(
        required=False, allow_null=True, help_text="Grouped by key: its id; null for use without a key."
    )
    key_name = serializers.CharField(required=False, allow_null=True)


# "from" is a keyword of Python, so the fields are named in a dictionary.
UsageSchema = type(
    "UsageSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["usage"]),
        "from": serializers.DateField(),
        "to": serializers.DateField(help_text="Not included."),
        "time_zone": serializers.CharField(),
        "group_by": serializers.ChoiceField(choices=["day", "model", "key"]),
        "rows": UsageRowSchema(many=True),
        "total": AmountsSchema(),
    },
)


class UsageView(APIView):
    """What the key's tenant used and what it cost."""

    @extend_schema(
        operation_id="usage",
        summary="Usage and cost",
        description=(
            f"Requests, tokens and cost of local days, `from` included and `to` not; at most {LONGEST_DAYS} days. "
            "Needs the scope `usage:read`."
        ),
        parameters=[
            OpenApiParameter(
                "from", OpenApiTypes.DATE, description=f"First day; without it, {DEFAULT_DAYS} days before `to`."
            ),
            OpenApiParameter("to", OpenApiTypes.DATE, description="Day after the last; without it, tomorrow."),
            OpenApiParameter("timezone", str, description="IANA name; without it, the tenant's time zone."),
            OpenApiParameter("group_by", str, enum=["day", "model", "key"], description="`day` without it."),
        ],
        responses={200: UsageSchema},
        examples=[OpenApiExample("One day by model", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        caller = caller_with(request, Scope.USAGE_READ)
        query = parse_usage_query(request.query_params.dict(), time_zone=caller.time_zone, now=datetime.now(UTC))
        report = usage(caller.tenant, first=query.first, end=query.end, zone=query.zone, group_by=query.group_by)
        return Response(rendered(query, report))


def rendered(query: UsageQuery, report: UsageReport) -> dict[str, Any]:
    return {
        "object": "usage",
        "from": query.first.isoformat(),
        "to": query.end.isoformat(),
        "time_zone": query.zone.key,
        "group_by": query.group_by.value,
        "rows": [rendered_row(query, row) for row in report.rows],
        "total": rendered_amounts(report.total),
    }


def rendered_row(query: UsageQuery, row: UsageRow) -> dict[str, Any]:
    named = {"key_name": row.key_name} if query.group_by == "key" else {}
    return {query.group_by.value: row.label, **named, **rendered_amounts(row.amounts)}


def rendered_amounts(amounts: Amounts) -> dict[str, Any]:
    return {
        "requests": amounts.requests,
        "unpriced_requests": amounts.unpriced_requests,
        "input_tokens": amounts.input_tokens,
        "output_tokens": amounts.output_tokens,
        "cache_read_tokens": amounts.cache_read_tokens,
        "cache_write_tokens": amounts.cache_write_tokens,
        "reasoning_tokens": amounts.reasoning_tokens,
        "cost_nano_usd": amounts.cost_nano,
        "cost_usd": f"{usd_from_nano(amounts.cost_nano):f}",
        "charge_nano_usd": amounts.charge_nano,
        "charge_usd": f"{usd_from_nano(amounts.charge_nano):f}",
    }
