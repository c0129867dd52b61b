from django.contrib.postgres.fields import ArrayField
from django.db import models

from common.ids import new_id
from tenants.allow_rules import ALLOWED_HELP, LONGEST_PATTERN


class Team(models.Model):
    """A group of members of one tenant. Bound by row-level security."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=100)
    allowed_models: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=LONGEST_PATTERN), default=list, blank=True, help_text=ALLOWED_HELP
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="one_team_of_a_name_per_tenant")]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """A member's place in a team; it repeats the tenant so that row-level security can bind it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    membership = models.ForeignKey("tenants.Membership", on_delete=models.CASCADE, related_name="places")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "membership"], name="one_place_per_team")]

    def __str__(self) -> str:
        return f"{self.membership} in {self.team}"
