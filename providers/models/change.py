"""What was changed in an owner's configuration, when and by whom; never what to."""

from django.db import models

from common.ids import new_id


class ConfigChange(models.Model):
    """One change. `name` as in an import's report: a model or a credential after its provider, `openai/gpt-5`.

    `by` is `user:` or `key:` and an id, empty for the platform itself or a command.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=300)
    action = models.CharField(max_length=20)
    fields = models.JSONField(default=list)
    by = models.CharField(max_length=50, blank=True)

    class Meta:
        db_table = "providers_change"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.action}"
