"""The platform's rows are for the system role alone; a tenant's rows are for the role that enters its schema.

The roles themselves are made by the tenants app, whose migrations run first in the public schema.
"""

from django.db import migrations

GRANTS = """
DO $$
DECLARE
    relation text;
    reader text := CASE current_schema() WHEN 'public' THEN 'orchestrator_system' ELSE 'orchestrator_app' END;
BEGIN
    FOREACH relation IN ARRAY ARRAY[
        'providers_provider', 'providers_credential', 'providers_offeredmodel',
        'providers_route', 'providers_routetarget', 'providers_providertemplate'
    ] LOOP
        EXECUTE format(
            'REVOKE ALL ON %I.%I FROM PUBLIC, orchestrator_app, orchestrator_system', current_schema(), relation
        );
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO %I', current_schema(), relation, reader);
    END LOOP;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("providers", "0001_initial"), ("tenants", "0001_initial")]

    operations = [migrations.RunSQL(GRANTS, migrations.RunSQL.noop)]
