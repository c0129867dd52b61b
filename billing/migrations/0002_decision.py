"""Decision records beside the ledger, partitioned by the same month."""

from django.db import migrations, models

from tenants.row_security import APPEND_ONLY, protect

DECISION = """
CREATE TABLE public.billing_decision (
    request_id uuid NOT NULL,
    month date NOT NULL CONSTRAINT billing_decision_month CHECK (month = public.billing_month_of(request_id)),
    tenant_id uuid NOT NULL,
    api_key_id uuid,
    user_id uuid,
    requested_model text NOT NULL,
    dialect text NOT NULL,
    stream boolean NOT NULL,
    route text,
    strategy text,
    outcome text NOT NULL CONSTRAINT billing_decision_outcome
        CHECK (outcome IN ('answered', 'failed', 'cut', 'aborted', 'cached', 'refused')),
    error_code text,
    cache text NOT NULL CONSTRAINT billing_decision_cache
        CHECK (cache IN ('off', 'hit', 'miss', 'bypass', 'stored')),
    decided_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    considered jsonb,
    tried jsonb,
    limits jsonb,
    auto jsonb,
    details jsonb,
    PRIMARY KEY (request_id, month)
) PARTITION BY RANGE (month);
CREATE INDEX billing_decision_tenant ON public.billing_decision (tenant_id, request_id);
CREATE INDEX billing_decision_key ON public.billing_decision (api_key_id, request_id);
"""

# As in 0001, with one table more.
PARTITIONS = """
CREATE OR REPLACE FUNCTION public.billing_create_partitions(wanted date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first_day date := date_trunc('month', wanted::timestamp)::date;
    parent text;
    child text;
    made integer := 0;
BEGIN
    IF abs(first_day - current_date) > 1000 THEN
        RAISE EXCEPTION 'the ledger has no partition for %%', wanted USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('billing_create_partitions'));
    FOREACH parent IN ARRAY ARRAY[%s] LOOP
        child := parent || to_char(first_day, '_YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%%I (LIKE public.%%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
        EXECUTE format('REVOKE ALL ON public.%%I FROM PUBLIC, orchestrator_app, orchestrator_system', child);
        EXECUTE format('ALTER TABLE public.%%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child);
        EXECUTE format('ALTER TABLE public.%%I ATTACH PARTITION public.%%I FOR VALUES FROM (%%L) TO (%%L)',
                       parent, child, first_day, (first_day + interval '1 month')::date);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
"""
WITH_DECISIONS = PARTITIONS % "'billing_intent', 'billing_settlement', 'billing_decision'"
LEDGER_ALONE = PARTITIONS % "'billing_intent', 'billing_settlement'"

MONTHS = """
SELECT public.billing_create_partitions((date_trunc('month', now()) + make_interval(months => ahead))::date)
FROM generate_series(-1, 3) AS ahead;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("request_id", models.UUIDField(primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("tenant_id", models.UUIDField()),
                ("api_key_id", models.UUIDField(null=True)),
                ("user_id", models.UUIDField(null=True)),
                ("requested_model", models.TextField()),
                ("dialect", models.TextField()),
                ("stream", models.BooleanField()),
                ("route", models.TextField(null=True)),
                ("strategy", models.TextField(null=True)),
                ("outcome", models.TextField()),
                ("error_code", models.TextField(null=True)),
                ("cache", models.TextField()),
                ("decided_at", models.DateTimeField()),
                ("duration_ms", models.IntegerField()),
                ("considered", models.JSONField(null=True)),
                ("tried", models.JSONField(null=True)),
                ("limits", models.JSONField(null=True)),
                ("auto", models.JSONField(null=True)),
                ("details", models.JSONField(null=True)),
            ],
            options={"db_table": "billing_decision", "managed": False},
        ),
        migrations.RunSQL(DECISION, "DROP TABLE public.billing_decision"),
        *protect("billing_decision", app="SELECT", system=APPEND_ONLY),
        migrations.RunSQL(WITH_DECISIONS, LEDGER_ALONE),
        migrations.RunSQL(MONTHS, migrations.RunSQL.noop),
    ]
