"""What a provider knows us by."""

from django.core.validators import MinValueValidator
from django.db import models

from common.ids import new_id
from providers.models.provider import Provider


class Credential(models.Model):
    """`secret` is ciphertext of `common.crypto`, bound to this row; it is written and never shown.

    The enabled credentials of a provider are tried by `position`, then by age.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="credentials")
    label = models.CharField(max_length=63, default="default")
    secret = models.BinaryField()
    position = models.PositiveSmallIntegerField(default=0, help_text="The lowest is preferred.")
    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="What the vendor allows; empty if unknown.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "label"], name="providers_credential_label"),
        ]

    def __str__(self) -> str:
        return self.label
