"""A tenant's webhooks: where events are sent, the outbox of events, and each one's delivery to each endpoint.

Public tables, so that one worker drains them for all tenants. `tenant_id` is no foreign key, as in the ledger.
"""

from django.db import models

from common.ids import new_id


class WebhookEndpoint(models.Model):
    """`secret` is ciphertext of `common.crypto`, bound to this row; after a rotation both secrets sign for a while.

    `event_types`: types, or groups such as `provider.*`; none for all. `failing_since` is when an attempt failed
    after which none has succeeded.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True, default="")
    event_types = models.JSONField(default=list, blank=True)
    enabled = models.BooleanField(default=True)
    secret = models.BinaryField()
    previous_secret = models.BinaryField(null=True)
    previous_secret_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(
        max_length=20, blank=True, default="", help_text="Why the platform did it: gone, failing."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["tenant_id", "id"], name="billing_endpoint_tenant")]

    def __str__(self) -> str:
        return str(self.id)


class OutboxEvent(models.Model):
    """Something that happened. `once` names what may be told a single time (`outbox.emit`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    type = models.CharField(max_length=63)
    payload = models.JSONField()
    once = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null is "as often as it happens"
    created_at = models.DateTimeField(auto_now_add=True)
    fanned_out_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant_id", "once"], name="billing_event_once")]
        indexes = [
            models.Index(fields=["id"], name="billing_event_waiting", condition=models.Q(fanned_out_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class WebhookDelivery(models.Model):
    """One event for one endpoint. `attempts` only grows; the schedule counts those after `attempts_before`, which a
    replay sets. `error` is a word of ours, never an endpoint's text.
    """

    PENDING, DELIVERED, FAILED = STATUSES = ("pending", "delivered", "failed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=20, default=PENDING)
    attempts = models.PositiveIntegerField(default=0)
    attempts_before = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="billing_delivery_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "delivered", "failed"]), name="billing_delivery_status"
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="billing_delivery_due",
                condition=models.Q(status="pending"),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
