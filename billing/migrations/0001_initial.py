"""Processes, and the ledger: intents and settlements, partitioned by the month inside the request's id."""

from django.db import migrations, models

from tenants.row_security import APPEND_ONLY, allow, protect

MONTH_OF = """
CREATE FUNCTION public.billing_month_of(request_id uuid) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_trunc('month', to_timestamp(
    ('x' || substr(request_id::text, 1, 8) || substr(request_id::text, 10, 4))::bit(48)::bigint / 1000.0
) AT TIME ZONE 'UTC')::date;
"""

# The checks on `month` keep the unique keys honest: a row in the wrong partition could be there twice.
INTENT = """
CREATE TABLE public.billing_intent (
    request_id uuid NOT NULL,
    attempt smallint NOT NULL CHECK (attempt >= 1),
    month date NOT NULL CONSTRAINT billing_intent_month CHECK (month = public.billing_month_of(request_id)),
    tenant_id uuid NOT NULL,
    api_key_id uuid,
    user_id uuid,
    provider text NOT NULL,
    provider_scope text NOT NULL CHECK (provider_scope IN ('platform', 'tenant')),
    model text NOT NULL,
    requested_model text NOT NULL,
    stream boolean NOT NULL,
    process_id uuid NOT NULL,
    dispatched_at timestamptz NOT NULL,
    estimated_input_tokens bigint NOT NULL CHECK (estimated_input_tokens >= 0),
    estimated_cost_nano bigint NOT NULL CHECK (estimated_cost_nano >= 0),
    price_version text,
    PRIMARY KEY (request_id, attempt, month)
) PARTITION BY RANGE (month);
CREATE INDEX billing_intent_process ON public.billing_intent (process_id, dispatched_at);
"""

SETTLEMENT = """
CREATE TABLE public.billing_settlement (
    request_id uuid NOT NULL,
    attempt smallint NOT NULL CHECK (attempt >= 1),
    kind text NOT NULL CHECK (kind IN ('settlement', 'correction')),
    month date NOT NULL CONSTRAINT billing_settlement_month CHECK (month = public.billing_month_of(request_id)),
    tenant_id uuid NOT NULL,
    api_key_id uuid,
    user_id uuid,
    provider text NOT NULL,
    provider_scope text NOT NULL CHECK (provider_scope IN ('platform', 'tenant')),
    model text NOT NULL,
    requested_model text NOT NULL,
    stream boolean NOT NULL,
    process_id uuid NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    input_audio_tokens bigint NOT NULL,
    output_audio_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
    usage_source text NOT NULL CHECK (usage_source IN ('provider', 'counted', 'estimated', 'none')),
    cost_nano bigint NOT NULL,
    charge_nano bigint NOT NULL,
    price_version text,
    outcome text NOT NULL
        CHECK (outcome IN ('completed', 'aborted', 'failed', 'cut', 'killed', 'not_dispatched')),
    finish_reason text,
    error_code text,
    started_at timestamptz NOT NULL,
    time_to_first_chunk_ms integer,
    duration_ms integer NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (request_id, attempt, kind, month),
    CONSTRAINT billing_settlement_not_negative CHECK (
        kind = 'correction'
        OR (least(input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
                  input_audio_tokens, output_audio_tokens, cost_nano, charge_nano) >= 0)
    )
) PARTITION BY RANGE (month);
CREATE INDEX billing_settlement_tenant ON public.billing_settlement (tenant_id, request_id);
"""

# Runs as the owner, so that the writer can ask for a month that nobody made ahead. A partition has
# no grants and forced row security without a policy: the parent is the only way in. There is no
# default partition: it would take the rows of a forgotten month silently, and then keep the real
# partition from being attached.
PARTITIONS = """
CREATE FUNCTION public.billing_create_partitions(wanted date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first_day date := date_trunc('month', wanted::timestamp)::date;
    parent text;
    child text;
    made integer := 0;
BEGIN
    IF abs(first_day - current_date) > 1000 THEN
        RAISE EXCEPTION 'the ledger has no partition for %', wanted USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('billing_create_partitions'));
    FOREACH parent IN ARRAY ARRAY['billing_intent', 'billing_settlement'] LOOP
        child := parent || to_char(first_day, '_YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || child) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, orchestrator_app, orchestrator_system', child);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, first_day, (first_day + interval '1 month')::date);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION public.billing_create_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.billing_create_partitions(date) TO orchestrator_system;
SELECT public.billing_create_partitions((date_trunc('month', now()) + make_interval(months => ahead))::date)
FROM generate_series(-1, 3) AS ahead;
"""

SHARED_FIELDS = [
    ("request_id", models.UUIDField(primary_key=True, serialize=False)),
    ("attempt", models.SmallIntegerField()),
    ("month", models.DateField()),
    ("tenant_id", models.UUIDField()),
    ("api_key_id", models.UUIDField(null=True)),
    ("user_id", models.UUIDField(null=True)),
    ("provider", models.TextField()),
    ("provider_scope", models.TextField()),
    ("model", models.TextField()),
    ("requested_model", models.TextField()),
    ("stream", models.BooleanField()),
    ("process_id", models.UUIDField()),
    ("price_version", models.TextField(null=True)),
]


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Process",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("host", models.TextField()),
                ("pid", models.IntegerField()),
                ("started_at", models.DateTimeField()),
                ("heartbeat_at", models.DateTimeField()),
                ("watermark_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("reaped_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "billing_process", "verbose_name_plural": "processes"},
        ),
        migrations.CreateModel(
            name="Intent",
            fields=[
                *SHARED_FIELDS,
                ("dispatched_at", models.DateTimeField()),
                ("estimated_input_tokens", models.BigIntegerField()),
                ("estimated_cost_nano", models.BigIntegerField()),
            ],
            options={"db_table": "billing_intent", "managed": False},
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                *SHARED_FIELDS,
                ("kind", models.TextField()),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cache_read_tokens", models.BigIntegerField()),
                ("cache_write_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                ("input_audio_tokens", models.BigIntegerField()),
                ("output_audio_tokens", models.BigIntegerField()),
                ("cache_write_1h_tokens", models.BigIntegerField(default=0)),
                ("usage_source", models.TextField()),
                ("cost_nano", models.BigIntegerField()),
                ("charge_nano", models.BigIntegerField()),
                ("outcome", models.TextField()),
                ("finish_reason", models.TextField(null=True)),
                ("error_code", models.TextField(null=True)),
                ("started_at", models.DateTimeField()),
                ("time_to_first_chunk_ms", models.IntegerField(null=True)),
                ("duration_ms", models.IntegerField()),
                ("settled_at", models.DateTimeField()),
            ],
            options={"db_table": "billing_settlement", "managed": False},
        ),
        migrations.RunSQL(MONTH_OF, "DROP FUNCTION public.billing_month_of(uuid)"),
        migrations.RunSQL(INTENT, "DROP TABLE public.billing_intent"),
        migrations.RunSQL(SETTLEMENT, "DROP TABLE public.billing_settlement"),
        *allow("billing_process"),
        *protect("billing_intent", app="SELECT", system=APPEND_ONLY),
        *protect("billing_settlement", app="SELECT", system=APPEND_ONLY),
        migrations.RunSQL(PARTITIONS, "DROP FUNCTION public.billing_create_partitions(date)"),
    ]
