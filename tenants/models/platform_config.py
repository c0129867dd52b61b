from django.db import models


class PlatformConfig(models.Model):
    """One row: the version of everything that all tenants share (platform providers, routes, plans)."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="platform_config_is_one_row")]

    def __str__(self) -> str:
        return f"version {self.version}"
