"""A model that a provider offers under our roof."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from common.ids import new_id
from providers.models.names import MODEL_NAME
from providers.models.provider import Provider


def check_capabilities(value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(word, str) and 0 < len(word) <= 50 for word in value):
        raise ValidationError('Use a list of words, such as ["tools", "vision"].')


def nano_rate(about: str) -> "models.PositiveBigIntegerField[int | None, int | None]":
    return models.PositiveBigIntegerField(null=True, blank=True, help_text=f"Nano-USD per million {about}.")


class OfferedModel(models.Model):
    """`name` is the vendor's own id of the model.

    The rates override the price list when input and output are both given; `price_revision` rises with every
    change of a rate, so that (id, price_revision) names one set of rates for ever.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="offered_models")
    name = models.CharField(max_length=200, validators=[MODEL_NAME])
    display_name = models.CharField(max_length=200, blank=True, default="")
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens.")
    capabilities = models.JSONField(
        default=list,
        blank=True,
        validators=[check_capabilities],
        help_text='A list of words, such as ["tools", "vision"].',
    )
    input_nano_per_mtok = nano_rate("input tokens")
    output_nano_per_mtok = nano_rate("output tokens")
    cache_read_nano_per_mtok = nano_rate("tokens read from the vendor's prompt cache")
    cache_write_nano_per_mtok = nano_rate("tokens written to the vendor's prompt cache")
    input_audio_nano_per_mtok = nano_rate("audio tokens sent")
    output_audio_nano_per_mtok = nano_rate("audio tokens generated")
    nano_per_request = models.PositiveBigIntegerField(default=0, help_text="A flat fee in nano-USD.")
    price_revision = models.PositiveIntegerField(default=0, editable=False)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "name"], name="providers_offeredmodel_name"),
            models.CheckConstraint(
                condition=Q(input_nano_per_mtok__isnull=True, output_nano_per_mtok__isnull=True)
                | Q(input_nano_per_mtok__isnull=False, output_nano_per_mtok__isnull=False),
                name="providers_offeredmodel_price_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        for given, missing in (("input", "output"), ("output", "input")):
            field = f"{missing}_nano_per_mtok"
            if getattr(self, f"{given}_nano_per_mtok") is not None and getattr(self, field) is None:
                raise ValidationError({field: f"Give the rate of {missing} tokens too, or leave both empty."})
