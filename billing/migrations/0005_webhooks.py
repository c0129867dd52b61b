"""Webhooks: where a tenant is told, the outbox of what it is told, and what came of each telling."""

import django.db.models.deletion
from django.db import migrations, models

import common.ids
from tenants.row_security import APPEND_ONLY, protect


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_idempotency")]

    operations = [
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("type", models.CharField(max_length=63)),
                ("payload", models.JSONField()),
                ("once", models.CharField(max_length=200, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("fanned_out_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["id"], name="billing_event_waiting", condition=models.Q(fanned_out_at=None))
                ],
                "constraints": [models.UniqueConstraint(fields=("tenant_id", "once"), name="billing_event_once")],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("url", models.CharField(max_length=500)),
                ("description", models.CharField(blank=True, default="", max_length=200)),
                ("event_types", models.JSONField(blank=True, default=list)),
                ("enabled", models.BooleanField(default=True)),
                ("secret", models.BinaryField()),
                ("previous_secret", models.BinaryField(null=True)),
                ("previous_secret_until", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("disabled_at", models.DateTimeField(null=True)),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why the platform did it: gone, failing.",
                        max_length=20,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={"indexes": [models.Index(fields=["tenant_id", "id"], name="billing_endpoint_tenant")]},
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="billing.webhookendpoint",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="billing.outboxevent",
                    ),
                ),
                ("status", models.CharField(default="pending", max_length=20)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("attempts_before", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("last_attempt_at", models.DateTimeField(null=True)),
                ("response_status", models.PositiveSmallIntegerField(null=True)),
                ("duration_ms", models.PositiveIntegerField(null=True)),
                ("error", models.CharField(blank=True, default="", max_length=40)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "indexes": [
                    models.Index(
                        fields=["endpoint", "next_attempt_at"],
                        name="billing_delivery_due",
                        condition=models.Q(status="pending"),
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("endpoint", "event"), name="billing_delivery_once"),
                    models.CheckConstraint(
                        condition=models.Q(status__in=["pending", "delivered", "failed"]),
                        name="billing_delivery_status",
                    ),
                ],
            },
        ),
        *protect("billing_outboxevent", app=APPEND_ONLY),
        *protect("billing_webhookendpoint"),
        *protect("billing_webhookdelivery"),
    ]
