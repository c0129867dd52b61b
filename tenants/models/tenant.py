from django.core.validators import RegexValidator
from django.db import models

from common.ids import new_id
from tenants.identity import TenantRef
from tenants.states import TenantState

SLUG = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"


class Tenant(models.Model):
    """One customer. Its own tables live in the schema `schema_name`.

    Rows are bound by row-level security: in a tenant's scope only its own row exists.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=40, unique=True, validators=[RegexValidator(rf"^{SLUG}\Z")])
    name = models.CharField(max_length=200)
    schema_name = models.CharField(max_length=63, unique=True, editable=False)
    state = models.CharField(
        max_length=20, choices=[(state.value, state.value) for state in TenantState], default=TenantState.ACTIVE.value
    )
    cell = models.CharField(max_length=40, default="main", help_text="The database cluster that holds its schema.")
    time_zone = models.CharField(max_length=64, default="UTC")
    plan = models.ForeignKey("tenants.Plan", on_delete=models.PROTECT, null=True, blank=True)
    default_model = models.CharField(
        max_length=200, blank=True, default="", help_text='What `"model": "default"` means; empty for the platform\'s.'
    )
    allowed_by_role = models.JSONField(
        default=dict,
        blank=True,
        help_text="Patterns of models and routes by role; one that is not named here may use all.",
    )
    request_fallbacks = models.BooleanField(
        default=True, help_text="Whether a request may name models to fall back to (`models`, `fallbacks`)."
    )
    config_version = models.BigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in TenantState]), name="tenant_state_is_known"
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def ref(self) -> TenantRef:
        return TenantRef(id=self.id, slug=self.slug, schema_name=self.schema_name)
