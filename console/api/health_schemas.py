"""What the views of health answer, for the OpenAPI document."""

from typing import Any, Final

from rest_framework import serializers

from console.api.performance import PerformanceSchema, SpreadSchema

STATUSES: Final = ["healthy", "failing", "unknown"]


class ChecksSchema(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="The latest looks, at most 50.")
    error_rate = serializers.FloatField(allow_null=True)
    latency_ms = SpreadSchema(help_text="Of the looks that found it working.")


class CredentialHealthSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment] # a field's name, as DRF allows
    enabled = serializers.BooleanField()
    status = serializers.ChoiceField(choices=STATUSES)
    last_check_at = serializers.DateTimeField(allow_null=True)
    latency_ms = serializers.FloatField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)


class ProviderHealthSchema(serializers.Serializer[Any]):
    object = serializers.ChoiceField(choices=["provider_health"])
    provider = serializers.CharField()
    scope = serializers.ChoiceField(choices=["tenant", "platform"], help_text="Whose it is.")
    enabled = serializers.BooleanField()
    status = serializers.ChoiceField(
        choices=STATUSES,
        help_text="`failing` when no credential works; `unknown` when nobody looked lately, or it is switched off.",
    )
    circuit = serializers.ChoiceField(
        choices=["closed", "open", "half_open"],
        help_text=(
            "Whether requests are kept from it, as of the worst of its models and credentials: `open` after failures, "
            "`half_open` when the next request finds out whether it works again."
        ),
    )
    last_check_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(
        allow_null=True,
        help_text="`timeout`, `unreachable`, `credential_refused`, `credential_unreadable` or `server_error`.",
    )
    check_interval_seconds = serializers.FloatField(help_text="Between two looks; 0 where nobody looks.")
    checks = ChecksSchema()
    credentials = CredentialHealthSchema(many=True, help_text="Of your own provider; none of the platform's.")
    traffic = PerformanceSchema(help_text="What your requests saw of it in the last 24 hours.")


# `data` is the lists' name in OpenAI's format.
ProviderHealthsSchema = type(
    "ProviderHealthsSchema",
    (serializers.Serializer,),
    {
        "object": serializers.ChoiceField(choices=["list"]),
        "data": ProviderHealthSchema(many=True),
        "has_more": serializers.BooleanField(),
    },
)
