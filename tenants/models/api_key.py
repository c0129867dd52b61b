from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from common.ids import new_id
from tenants.allow_rules import ALLOWED_HELP, LONGEST_PATTERN


class ApiKey(models.Model):
    """A tenant's key, of which only a keyed hash is kept. Bound by row-level security."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    key_id = models.CharField(max_length=16, unique=True, help_text="The public part, which names the key.")
    digest = models.BinaryField(max_length=32)
    scopes: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=40))
    allowed_models: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=LONGEST_PATTERN), default=list, blank=True, help_text=ALLOWED_HELP
    )
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})"
