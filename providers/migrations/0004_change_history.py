"""What was changed in a configuration: a table to add to and to take the oldest from, and never to rewrite."""

import common.ids
from django.db import migrations, models

GRANTS = """
DO $$
DECLARE
    reader text := CASE current_schema() WHEN 'public' THEN 'orchestrator_system' ELSE 'orchestrator_app' END;
BEGIN
    EXECUTE format(
        'REVOKE ALL ON %I.providers_change FROM PUBLIC, orchestrator_app, orchestrator_system', current_schema()
    );
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I.providers_change TO %I', current_schema(), reader);
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("providers", "0003_routing")]

    operations = [
        migrations.CreateModel(
            name="ConfigChange",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("kind", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=300)),
                ("action", models.CharField(max_length=20)),
                ("fields", models.JSONField(default=list)),
                ("by", models.CharField(blank=True, max_length=50)),
            ],
            options={"db_table": "providers_change", "ordering": ["-id"]},
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
