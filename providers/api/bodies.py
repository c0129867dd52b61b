"""What callers send, as DRF checks and documents it; what a field may hold beyond its type is for the row to say."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.errors import InvalidRequest
from providers.actions.models import ModelOffer
from providers.catalogue_file import model_entry

MOST_MODELS = 2000


class Body(serializers.Serializer[Any]):
    """A field that is not known is refused: it would have been lost.

    `shown_alone` is passed over, so that an answer can be changed and sent back.
    """

    shown_alone: frozenset[str] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(data.keys() - self.fields.keys() - self.shown_alone) if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError({unknown[0]: f"There is no such field; there are {known}."})
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.OBJECT)
class ModelField(serializers.JSONField):
    """Just the vendor's id of a model, or an object with more."""


class ProviderBody(Body):
    """A tenant's own provider. Secrets are written here or at its credentials, and never shown."""

    base_url = serializers.CharField(
        max_length=500, help_text="Up to and including the version, such as `https://api.example.com/v1`."
    )
    wire = serializers.CharField(max_length=63, default="openai", help_text="The wire format that it speaks.")
    headers = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False),
        default=dict,
        help_text="Sent with every call. No secrets: these are shown.",
    )
    credential_header = serializers.CharField(
        max_length=200,
        allow_blank=True,
        default="",
        help_text="How the secret is shown, such as `x-key: {{API_KEY}}`; empty for the usual way of the wire.",
    )
    quirks = serializers.DictField(default=dict, help_text="Differences from the wire format.")
    price_provider_id = serializers.CharField(
        max_length=63, allow_blank=True, default="", help_text="Whose price list applies; empty for none."
    )
    default_model = serializers.CharField(max_length=200, allow_blank=True, default="")
    health_interval_seconds = serializers.IntegerField(default=60, help_text="Between two checks of its health.")
    connect_seconds = serializers.FloatField(default=5.0, min_value=0.001, max_value=86_400)
    first_byte_seconds = serializers.FloatField(default=60.0, min_value=0.001, max_value=86_400)
    first_chunk_seconds = serializers.FloatField(
        default=None,
        allow_null=True,
        min_value=0.001,
        max_value=86_400,
        help_text="From the headers of a streamed answer to its first words; null for no limit of its own.",
    )
    between_chunks_seconds = serializers.FloatField(default=60.0, min_value=0.001, max_value=86_400)
    total_seconds = serializers.FloatField(default=1800.0, min_value=0.001, max_value=86_400)
    most_at_once = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Completions under way at once, of all processes together; null for no limit.",
    )
    enabled = serializers.BooleanField(default=True)
    models = serializers.ListField(
        child=ModelField(),
        required=False,
        max_length=MOST_MODELS,
        help_text=(
            "All models that it offers: ids, or objects with `name`, `display_name`, `context_window`, `capabilities`, "
            "`enabled`, `price` (USD per million tokens: `input`, `output`, `cache_read` …). Without this they stay."
        ),
    )
    secret = serializers.CharField(
        max_length=8000, required=False, write_only=True, help_text="The credential labelled `default`."
    )


class NewProviderBody(ProviderBody):
    name = serializers.CharField(max_length=63, help_text="Lower-case letters, digits, `.`, `_` and `-`.")


class NamedProviderBody(ProviderBody):
    shown_alone = frozenset({"object", "template", "credentials", "created_at", "updated_at"})

    name = serializers.CharField(max_length=63, required=False, help_text="As in the path; it does not change.")


class CredentialBody(Body):
    label = serializers.CharField(max_length=63, default="default")  # type: ignore[assignment]
    secret = serializers.CharField(max_length=8000, write_only=True, help_text="Never shown again.")
    enabled = serializers.BooleanField(default=True)
    position = serializers.IntegerField(default=0, help_text="The lowest is preferred.")
    requests_per_minute = serializers.IntegerField(
        default=None, allow_null=True, help_text="What the vendor allows; null if unknown."
    )


class FromTemplateBody(Body):
    template = serializers.CharField(max_length=63)
    name = serializers.CharField(max_length=63)
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True), default=dict, help_text="By the names of the template's fields."
    )
    models = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=MOST_MODELS,
        help_text="Ids of models, in place of those that the template names.",
    )


class TrialBody(Body):
    model = serializers.CharField(
        max_length=200, required=False, help_text="Whom to ask; without it the default model, or the first offered."
    )


def given(body: type[Body], request: Any, *, partial: bool = False) -> dict[str, Any]:
    """What the caller sent, checked. Raises rest_framework's ValidationError, told as 400 naming the field."""
    read = body(data=request.data, partial=partial)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def offers_in(values: dict[str, Any]) -> list[ModelOffer] | None:
    """Takes the models out of a provider's fields. Raises InvalidRequest naming the place."""
    if "models" not in values:
        return None
    offers = [model_entry(each, f"models[{i}]").offer() for i, each in enumerate(values.pop("models"))]
    refuse_twice("models", [offer.name for offer in offers])
    return offers


def refuse_twice(place: str, names: list[str]) -> None:
    """Raises InvalidRequest naming the second of two that have one name; `place` is the list's."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise InvalidRequest(f"'{name[:100]}' is there twice.", param=f"{place}[{i}].name")
        seen.add(name)
