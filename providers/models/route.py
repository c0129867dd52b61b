"""A public model name and the targets behind it."""

from django.db import models

from common.ids import new_id
from providers.models.names import MODEL_NAME, PROVIDER_NAME


class Strategy(models.TextChoices):
    PRIORITY = "priority", "The first target that can answer"


class Route(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200, unique=True, validators=[MODEL_NAME])
    strategy = models.CharField(max_length=20, choices=Strategy.choices, default=Strategy.PRIORITY)
    drop_params = models.BooleanField(
        default=False, help_text="Leave out what a target cannot express, rather than refuse the request."
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RouteTarget(models.Model):
    """Names an offer rather than pointing at its row: a tenant's route may lead to the platform's providers,
    whose rows are in another schema."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="targets")
    position = models.PositiveSmallIntegerField()
    provider_name = models.CharField(max_length=63, validators=[PROVIDER_NAME])
    model_name = models.CharField(max_length=200, validators=[MODEL_NAME])

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["route", "position"], name="providers_routetarget_position"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_name}/{self.model_name}"
