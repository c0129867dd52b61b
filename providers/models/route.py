"""A public model name and the targets behind it."""

from typing import Any

import msgspec
from django.db import models

from common.ids import new_id
from providers.models.names import MODEL_NAME, PROVIDER_NAME
from providers.route_policy import RoutePolicy, TargetRule


class Strategy(models.TextChoices):
    PRIORITY = "priority", "The first target that can answer"
    WEIGHTED = "weighted", "By chance, in proportion to the weights"
    ROUND_ROBIN = "round_robin", "In turn"
    LEAST_BUSY = "least_busy", "The one with the fewest requests under way"
    LATENCY = "latency", "The quicker of two, by the time to the first chunk"
    COST = "cost", "The cheapest for the request"
    AUTO = "auto", "By how hard the question is"


class Route(models.Model):
    """`name` is what callers ask for; with "*" in it, which stands for any characters, all names that fit.

    `policy` and `learned` are JSON: a `route_policy.RoutePolicy`, and numbers that feedback taught.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200, unique=True, validators=[MODEL_NAME])
    strategy = models.CharField(max_length=20, choices=Strategy.choices, default=Strategy.PRIORITY)
    drop_params = models.BooleanField(
        default=False, help_text="Leave out what a target cannot express, rather than refuse the request."
    )
    policy = models.JSONField(default=dict, blank=True, help_text="How it behaves; what is left out is as usual.")
    learned = models.JSONField(default=dict, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def as_policy(self) -> RoutePolicy:
        """Raises msgspec.ValidationError for a row that no action wrote."""
        return msgspec.convert(self.policy, RoutePolicy)


class RouteTarget(models.Model):
    """Names an offer rather than pointing at its row: a tenant's route may lead to the platform's providers,
    whose rows are in another schema. `rule` is the rest of a `route_policy.TargetRule`, as JSON."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="targets")
    position = models.PositiveSmallIntegerField()
    provider_name = models.CharField(max_length=63, validators=[PROVIDER_NAME])
    model_name = models.CharField(max_length=200, validators=[MODEL_NAME])
    rule = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["route", "position"], name="providers_routetarget_position"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_name}/{self.model_name}"

    @classmethod
    def of_rule(cls, rule: TargetRule, **place: Any) -> "RouteTarget":
        said = msgspec.to_builtins(rule)
        provider, _, model = said.pop("target").partition("/")
        return cls(provider_name=provider, model_name=model, rule=said, **place)

    def as_rule(self) -> TargetRule:
        """Raises msgspec.ValidationError for a row that no action wrote."""
        return msgspec.convert({"target": str(self), **self.rule}, TargetRule)
