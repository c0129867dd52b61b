"""The ledger's tables as the ORM sees them: for reading alone.

`billing_intent`, `billing_settlement` and `billing_decision` are partitioned and written by the ledger
writer in SQL, so Django does not manage them. Django knows one column as primary key; the real key is
(request_id, attempt, kind, month), of a decision (request_id, month).
"""

from django.db import models

# Tables of this app that are described elsewhere: Django looks for them here.
from billing.webhooks.models import OutboxEvent, WebhookDelivery, WebhookEndpoint  # noqa: F401


class Process(models.Model):
    """A process that dispatches. None of its intents from before `watermark_at` is open."""

    id = models.UUIDField(primary_key=True)
    kind = models.TextField()
    host = models.TextField()
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    watermark_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reaped_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "billing_process"
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"


class Attempt(models.Model):
    """What an intent and its settlement both say. No foreign keys: the ledger outlives what it names."""

    request_id = models.UUIDField(primary_key=True)
    attempt = models.SmallIntegerField()
    month = models.DateField()
    tenant_id = models.UUIDField()
    api_key_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    provider = models.TextField()
    provider_scope = models.TextField()
    model = models.TextField()
    requested_model = models.TextField()
    stream = models.BooleanField()
    process_id = models.UUIDField()
    price_version = models.TextField(null=True)  # noqa: DJ001 - null is "no price was known"

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.request_id} attempt {self.attempt}"


class Intent(Attempt):
    """One attempt, recorded before it was dispatched."""

    dispatched_at = models.DateTimeField()
    estimated_input_tokens = models.BigIntegerField()
    estimated_cost_nano = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "billing_intent"


class Settlement(Attempt):
    """How an attempt ended. A `correction` holds differences, so that a sum over all rows is the truth."""

    kind = models.TextField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cache_read_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    input_audio_tokens = models.BigIntegerField()
    output_audio_tokens = models.BigIntegerField()
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    usage_source = models.TextField()
    cost_nano = models.BigIntegerField()
    charge_nano = models.BigIntegerField()
    outcome = models.TextField()
    finish_reason = models.TextField(null=True)  # noqa: DJ001 - null is "the provider said none"
    error_code = models.TextField(null=True)  # noqa: DJ001 - null is "no error"
    started_at = models.DateTimeField()
    time_to_first_chunk_ms = models.IntegerField(null=True)
    duration_ms = models.IntegerField()
    settled_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "billing_settlement"


class Decision(models.Model):
    """Why a request was answered as it was (`billing.decisions.records`)."""

    request_id = models.UUIDField(primary_key=True)
    month = models.DateField()
    tenant_id = models.UUIDField()
    api_key_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    requested_model = models.TextField()
    dialect = models.TextField()
    stream = models.BooleanField()
    route = models.TextField(null=True)  # noqa: DJ001 - null is "a model was named, no route"
    strategy = models.TextField(null=True)  # noqa: DJ001 - null is "there was nothing to choose"
    outcome = models.TextField()
    error_code = models.TextField(null=True)  # noqa: DJ001 - null is "no error"
    cache = models.TextField()
    decided_at = models.DateTimeField()
    duration_ms = models.IntegerField()
    considered = models.JSONField(null=True)
    tried = models.JSONField(null=True)
    limits = models.JSONField(null=True)
    auto = models.JSONField(null=True)
    details = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "billing_decision"

    def __str__(self) -> str:
        return str(self.request_id)


class IdempotentAnswer(models.Model):
    """A request that is done once (`billing.idempotency`): under way while it has no `status`."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    body_digest = models.BinaryField()
    request_id = models.UUIDField()
    lease_until = models.DateTimeField()
    status = models.SmallIntegerField(null=True)
    headers = models.JSONField(null=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.request_id)
