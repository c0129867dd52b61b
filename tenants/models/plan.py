from django.contrib.postgres.fields import ArrayField
from django.db import models

from common.ids import new_id
from tenants.allow_rules import ALLOWED_HELP, LONGEST_PATTERN


class Plan(models.Model):
    """What a tenant has signed up for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="For each key without a limit of its own; empty for the platform's default."
    )
    allowed_models: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=LONGEST_PATTERN), default=list, blank=True, help_text=ALLOWED_HELP
    )

    def __str__(self) -> str:
        return self.name
