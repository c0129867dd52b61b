"""How a provider or a model did, as JSON and as a schema: the same wherever it is told."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from billing.statistics import Performance, Spread
from common.money import usd_from_nano


class SpreadSchema(serializers.Serializer[Any]):
    average = serializers.FloatField(allow_null=True)
    p50 = serializers.IntegerField(allow_null=True, help_text="An observed value, as all percentiles.")
    p95 = serializers.IntegerField(allow_null=True)
    p99 = serializers.IntegerField(allow_null=True)


class PerformanceSchema(serializers.Serializer[Any]):
    requests = serializers.IntegerField(help_text="Requests that reached a provider.")
    attempts = serializers.IntegerField(help_text="How often a provider was asked for them: more when repeated.")
    successes = serializers.IntegerField(help_text="Attempts that were answered to the end.")
    errors = serializers.IntegerField(  # type: ignore[assignment] # a field's name, as DRF allows
        help_text="Attempts that the provider failed, refused or broke off. The rest was given up by the caller."
    )
    success_rate = serializers.FloatField(allow_null=True, help_text="Of the attempts that succeeded or failed.")
    error_rate = serializers.FloatField(allow_null=True)
    latency_ms = SpreadSchema(help_text="To the end of the answer, of attempts that succeeded.")
    time_to_first_chunk_ms = SpreadSchema(help_text="The same for the first chunk of streams.")
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    requests_per_minute = serializers.FloatField(help_text="Over the whole period.")
    output_tokens_per_second = serializers.FloatField(help_text="Over the whole period.")
    generation_tokens_per_second = serializers.FloatField(
        allow_null=True, help_text="Output tokens for each second that an attempt took."
    )
    cost_nano_usd = serializers.IntegerField(help_text="What the providers take, in 10⁻⁹ USD.")
    cost_usd = serializers.CharField(help_text="The same in USD, nine places.")
    charge_nano_usd = serializers.IntegerField(help_text="What you pay, in 10⁻⁹ USD.")
    charge_usd = serializers.CharField(help_text="The same in USD, nine places.")


def rendered_performance(seen: Performance, period: timedelta) -> dict[str, Any]:
    """`period`: the time that it was seen in."""
    seconds = period.total_seconds()
    error_rate = seen.error_rate
    return {
        "requests": seen.requests,
        "attempts": seen.attempts,
        "successes": seen.successes,
        "errors": seen.errors,
        "success_rate": None if error_rate is None else round(1 - error_rate, 6),
        "error_rate": None if error_rate is None else round(error_rate, 6),
        "latency_ms": rendered_spread(seen.latency),
        "time_to_first_chunk_ms": rendered_spread(seen.first_chunk),
        "input_tokens": seen.input_tokens,
        "output_tokens": seen.output_tokens,
        "requests_per_minute": round(seen.requests * 60 / seconds, 6),
        "output_tokens_per_second": round(seen.output_tokens / seconds, 6),
        "generation_tokens_per_second": round(seen.generated * 1000 / seen.busy_ms, 3) if seen.busy_ms else None,
        "cost_nano_usd": seen.cost_nano,
        "cost_usd": f"{usd_from_nano(seen.cost_nano):f}",
        "charge_nano_usd": seen.charge_nano,
        "charge_usd": f"{usd_from_nano(seen.charge_nano):f}",
    }


def rendered_spread(spread: Spread) -> dict[str, Any]:
    average = None if spread.average is None else round(spread.average, 1)
    return {"average": average, "p50": spread.p50, "p95": spread.p95, "p99": spread.p99}
