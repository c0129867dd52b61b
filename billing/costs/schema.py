"""How the OpenAPI document describes costs."""

from typing import Any

from rest_framework import serializers

from billing.api import AmountsSchema
from billing.costs.intervals import Interval


class FiguresSchema(AmountsSchema):
    attempts = serializers.IntegerField(help_text="How often a provider was asked.")
    errors = serializers.IntegerField(  # type: ignore[assignment] # a field's name, as DRF allows
        help_text="Attempts that failed or broke off."
    )
    cache_hits = serializers.IntegerField(help_text="Requests that a cache answered; they are none of `requests`.")
    saved_cost_nano_usd = serializers.IntegerField(help_text="What these would have cost, in 10⁻⁹ USD.")
    saved_cost_usd = serializers.CharField()
    saved_charge_nano_usd = serializers.IntegerField(help_text="What you would have paid for them, in 10⁻⁹ USD.")
    saved_charge_usd = serializers.CharField()
    latency_ms = serializers.FloatField(allow_null=True, help_text="Average of the attempts that succeeded.")
    time_to_first_chunk_ms = serializers.FloatField(allow_null=True, help_text="Average of the streams among them.")


class CostRowSchema(FiguresSchema):
    start = serializers.CharField(
        required=False, help_text="With an interval: a day, or when the hour or quarter begins, in local time."
    )
    model = serializers.CharField(
        required=False,
        help_text="`provider/model`; of an answer from a cache the name that its caller used.",
    )
    provider = serializers.CharField(required=False, allow_null=True, help_text="Null for answers from a cache.")
    api_key = serializers.UUIDField(required=False, allow_null=True, help_text="Null for use without a key.")
    api_key_name = serializers.CharField(required=False, allow_null=True)
    user = serializers.UUIDField(required=False, allow_null=True, help_text="Null for use that is nobody's.")


# "from" is a keyword of Python, so the fields are named in a dictionary.
RANGE = {
    "from": serializers.DateTimeField(),
    "to": serializers.DateTimeField(help_text="Not included."),
    "time_zone": serializers.CharField(),
    "interval": serializers.ChoiceField(choices=list(Interval), allow_null=True),
    "rows": CostRowSchema(many=True),
    "total": FiguresSchema(),
}
CostsSchema = type(
    "CostsSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["costs"]),
        "group_by": serializers.ListField(child=serializers.CharField()),
        **RANGE,
    },
)


class ForecastSchema(serializers.Serializer[Any]):
    expected_nano_usd = serializers.IntegerField()
    expected_usd = serializers.CharField()
    low_nano_usd = serializers.IntegerField()
    low_usd = serializers.CharField()
    high_nano_usd = serializers.IntegerField()
    high_usd = serializers.CharField()
    coverage = serializers.FloatField(help_text="How often the truth is meant to lie between low and high.")
    days_known = serializers.IntegerField(help_text="Days of history that it rests on, at most 56.")


class ForecastsSchema(serializers.Serializer[Any]):
    cost = ForecastSchema(allow_null=True, help_text="Null before a day with any spending is over.")
    charge = ForecastSchema(allow_null=True)


class TodaySchema(FiguresSchema):
    day = serializers.DateField()


class MonthSchema(FiguresSchema):
    month = serializers.CharField(help_text="Like 2026-11.")


class TopModelSchema(FiguresSchema):
    model = serializers.CharField()


class CostSummarySchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["cost_summary"])
    time_zone = serializers.CharField()
    today = TodaySchema()
    month_to_date = MonthSchema()
    last_month = FiguresSchema()
    forecast = ForecastsSchema(help_text="Of the whole month.")
    top_models = TopModelSchema(many=True, help_text="This month's dearest, five at most.")


MyUsageSchema = type(
    "MyUsageSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["user_usage"]),
        "user_id": serializers.UUIDField(allow_null=True, help_text="Null where the figures are of the key alone."),
        "api_key_id": serializers.UUIDField(allow_null=True, help_text="Null where they are of all that the user did."),
        **RANGE,
    },
)
