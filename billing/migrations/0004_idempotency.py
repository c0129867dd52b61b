"""Answers to requests that are done once. They live a day: nothing to partition."""

from django.db import migrations, models

from tenants.row_security import protect


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_rollup")]

    operations = [
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("body_digest", models.BinaryField()),
                ("request_id", models.UUIDField()),
                ("lease_until", models.DateTimeField()),
                ("status", models.SmallIntegerField(null=True)),
                ("headers", models.JSONField(null=True)),
                ("body", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        *protect("billing_idempotentanswer"),
    ]
