"""GET /v1/statistics."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.statistics import Statistics, Subject, SubjectRow, statistics
from common.errors import InvalidRequest
from console.api.asking import query_of
from console.api.performance import PerformanceSchema, rendered_performance
from providers.card_filters import single
from tenants.api_authentication import caller_with
from tenants.scopes import Scope


class Period(StrEnum):
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


LENGTHS: Final = {Period.DAY: timedelta(days=1), Period.WEEK: timedelta(days=7), Period.MONTH: timedelta(days=30)}
PARAMETERS: Final = ("period", "group_by")

Choice = TypeVar("Choice", bound=StrEnum)


class StatisticsRowSchema(PerformanceSchema):
    provider = serializers.CharField()
    scope = serializers.ChoiceField(choices=["tenant", "platform"], help_text="Whose provider it was.")
    model = serializers.CharField(required=False, help_text="Grouped by model: the provider's own name of it.")


# "from" is a keyword of Python, so the fields are named in a dictionary.
StatisticsSchema = type(
    "StatisticsSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["statistics"]),
        "period": serializers.ChoiceField(choices=list(Period)),
        "from": serializers.DateTimeField(),
        "to": serializers.DateTimeField(help_text="Not included."),
        "group_by": serializers.ChoiceField(choices=list(Subject)),
        "rows": StatisticsRowSchema(many=True),
        "total": PerformanceSchema(),
    },
)


class StatisticsView(APIView):
    """How the tenant's providers and models did."""

    @extend_schema(
        operation_id="statistics",
        summary="Requests, errors, latency, tokens and cost",
        description=(
            "Of the time up to now, by provider or by model. A row counts what was asked of it: a request that went on "
            "to another provider is in the rows of both, and once in the total. Needs the scope `usage:read`."
        ),
        parameters=[
            OpenApiParameter("period", str, enum=list(Period), description="`24h` without it."),
            OpenApiParameter("group_by", str, enum=list(Subject), description="`provider` without it."),
        ],
        responses={200: StatisticsSchema},
    )
    def get(self, request: Request) -> Response:
        caller = caller_with(request, Scope.USAGE_READ)
        query = query_of(request, PARAMETERS)
        period = choice(query, "period", Period.DAY)
        group_by = choice(query, "group_by", Subject.PROVIDER)
        until = datetime.now(UTC)
        since = until - LENGTHS[period]
        found = statistics(caller.tenant, since=since, until=until, group_by=group_by)
        return Response(
            {
                "object": "statistics",
                "period": period.value,
                "from": since.isoformat(),
                "to": until.isoformat(),
                "group_by": group_by.value,
                **rendered(found, LENGTHS[period]),
            }
        )


def choice(query: Mapping[str, Sequence[str]], name: str, default: Choice) -> Choice:
    """Raises InvalidRequest naming the parameter and what there is."""
    text = single(query, name)
    try:
        return default if text is None else type(default)(text)
    except ValueError:
        raise InvalidRequest(f"{name} must be one of {', '.join(type(default))}.", param=name) from None


def rendered(found: Statistics, period: timedelta) -> dict[str, Any]:
    return {
        "rows": [rendered_row(row, period) for row in found.rows],
        "total": rendered_performance(found.total, period),
    }


def rendered_row(row: SubjectRow, period: timedelta) -> dict[str, Any]:
    model = {} if row.model is None else {"model": row.model}
    return {"provider": row.provider, "scope": row.scope, **model, **rendered_performance(row.performance, period)}
