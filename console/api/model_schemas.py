"""What the views of models answer, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from console.api.performance import PerformanceSchema


class TierSchema(serializers.Serializer[Any]):
    above_input_tokens = serializers.IntegerField()
    nano_usd_per_mtok = serializers.IntegerField()
    usd_per_mtok = serializers.CharField()


class RateSchema(serializers.Serializer[Any]):
    nano_usd_per_mtok = serializers.IntegerField(help_text="10⁻⁹ USD for a million tokens.")
    usd_per_mtok = serializers.CharField(help_text="The same in USD.")
    tiers = TierSchema(many=True, required=False, help_text="Rates of requests with more input.")


class PricingSchema(serializers.Serializer[Any]):
    input = RateSchema()
    output = RateSchema()
    cache_read = RateSchema(required=False)
    cache_write = RateSchema(required=False)
    cache_write_1h = RateSchema(required=False, help_text="Kept for an hour; without it, as any other.")
    input_audio = RateSchema(required=False)
    output_audio = RateSchema(required=False)
    nano_usd_per_request = serializers.IntegerField(required=False)


class ModelFoundSchema(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The name to ask for.")
    object = serializers.ChoiceField(choices=["model"])
    created = serializers.IntegerField(help_text="Unix time in seconds.")
    owned_by = serializers.CharField()
    provider = serializers.CharField()
    context_window = serializers.IntegerField(allow_null=True)
    capabilities = serializers.ListField(child=serializers.CharField())
    modalities = serializers.ListField(child=serializers.CharField())
    pricing = PricingSchema(allow_null=True, help_text="What you pay; null where no price is known, and for a route.")


class ModelComparedSchema(ModelFoundSchema):
    requested = serializers.CharField(help_text="The name that was asked for.")
    scope = serializers.ChoiceField(choices=["tenant", "platform"], help_text="Whose provider it is.")
    observed = PerformanceSchema(help_text="What you saw of it in the last 7 days.")


class ModelProviderSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["provider"])
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=["tenant", "platform"], help_text="Whose it is.")
    models = serializers.IntegerField(help_text="How many it offers.")
    statistics = PerformanceSchema()


# `data` is the lists' name in OpenAI's format.
ModelsFoundSchema = type(
    "ModelsFoundSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["list"]),
        "data": ModelFoundSchema(many=True),
        "has_more": serializers.BooleanField(),
    },
)
ModelProvidersSchema = type(
    "ModelProvidersSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["list"]),
        "period": serializers.ChoiceField(choices=["24h"]),
        "data": ModelProviderSchema(many=True),
    },
)
ComparisonSchema = type(
    "ComparisonSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["list"]),
        "period": serializers.ChoiceField(choices=["7d"]),
        "data": ModelComparedSchema(many=True),
    },
)
