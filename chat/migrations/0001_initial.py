"""A tenant's schema belongs to the role that enters it. The roles themselves are made by the tenants app, whose
migrations run first in the public schema."""

from django.db import migrations, models

GRANTS = """
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON %I.chat_storedresponse FROM PUBLIC, orchestrator_system', current_schema());
    EXECUTE format(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON %I.chat_storedresponse TO orchestrator_app', current_schema()
    );
END
$$
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="StoredResponse",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("api_key_id", models.UUIDField(null=True)),
                ("user_id", models.UUIDField(null=True)),
                ("items", models.BinaryField()),
                ("response", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
