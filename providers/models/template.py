"""A template that its owner wrote, beside those that come with the platform."""

from django.db import models

from common.ids import new_id
from providers.models.names import PROVIDER_NAME


class ProviderTemplate(models.Model):
    """`document` is the template as `providers.templates.document` reads it, validated when it was saved."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[PROVIDER_NAME])
    document = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
