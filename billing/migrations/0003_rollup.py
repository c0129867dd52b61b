"""Rollups of the ledger by 15 minutes, how far they go, and an index of what came too late for them."""

from django.db import migrations

from tenants.row_security import allow, protect

MADE_AT = """
CREATE FUNCTION public.billing_made_at(request_id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_timestamp(
    ('x' || substr(request_id::text, 1, 8) || substr(request_id::text, 10, 4))::bit(48)::bigint / 1000.0
);
"""

# A request's key, user and form are the same in all its attempts, so only provider and model need counts of their own.
# What a cache answered reached no provider; its model is the name that the caller used.
ROLLUP = """
CREATE TABLE public.billing_rollup (
    tenant_id uuid NOT NULL,
    bucket timestamptz NOT NULL CONSTRAINT billing_rollup_quarter
        CHECK (date_bin('15 minutes', bucket, '2000-01-01T00:00:00Z'::timestamptz) = bucket),
    provider text,
    provider_scope text,
    model text NOT NULL,
    api_key_id uuid,
    user_id uuid,
    outcome text NOT NULL CONSTRAINT billing_rollup_outcome
        CHECK (outcome IN ('completed', 'aborted', 'failed', 'cut', 'killed', 'not_dispatched', 'cached')),
    stream boolean NOT NULL,
    requests bigint NOT NULL,
    requests_of_provider bigint NOT NULL,
    requests_of_model bigint NOT NULL,
    unpriced bigint NOT NULL,
    unpriced_of_provider bigint NOT NULL,
    unpriced_of_model bigint NOT NULL,
    attempts bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    input_audio_tokens bigint NOT NULL,
    output_audio_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL,
    cost_nano bigint NOT NULL,
    charge_nano bigint NOT NULL,
    duration_ms bigint NOT NULL,
    first_chunks bigint NOT NULL,
    first_chunk_ms bigint NOT NULL,
    cache_hits bigint NOT NULL,
    saved_cost_nano bigint NOT NULL,
    saved_charge_nano bigint NOT NULL,
    CONSTRAINT billing_rollup_once UNIQUE NULLS NOT DISTINCT
        (tenant_id, bucket, provider, provider_scope, model, api_key_id, user_id, outcome, stream)
);
CREATE INDEX billing_rollup_bucket ON public.billing_rollup (bucket);
"""

PROGRESS = """
CREATE TABLE public.billing_rollup_progress (
    id smallint PRIMARY KEY CONSTRAINT billing_rollup_progress_one CHECK (id = 1),
    frontier timestamptz NOT NULL,
    watermark timestamptz NOT NULL
);
"""

# Rows that were there before have no time of their own: they are rolled up when their bucket is.
RECORDED_AT = """
ALTER TABLE public.billing_decision ADD COLUMN recorded_at timestamptz;
ALTER TABLE public.billing_decision ALTER COLUMN recorded_at SET DEFAULT now();
"""

# The interval is `billing.rollups.frontier.LATE`; a row that is in time costs these indexes nothing to keep.
LATE = """
CREATE INDEX billing_settlement_late ON public.billing_settlement (settled_at)
    WHERE settled_at - public.billing_made_at(request_id) > interval '10 minutes';
CREATE INDEX billing_decision_late ON public.billing_decision (recorded_at)
    WHERE outcome = 'cached' AND recorded_at - public.billing_made_at(request_id) > interval '10 minutes';
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_decision")]

    operations = [
        migrations.RunSQL(MADE_AT, "DROP FUNCTION public.billing_made_at(uuid)"),
        migrations.RunSQL(ROLLUP, "DROP TABLE public.billing_rollup"),
        migrations.RunSQL(PROGRESS, "DROP TABLE public.billing_rollup_progress"),
        *protect("billing_rollup", app="SELECT", system="SELECT, INSERT, DELETE"),
        *allow("billing_rollup_progress", app="SELECT", system="SELECT, INSERT, UPDATE"),
        migrations.RunSQL(RECORDED_AT, "ALTER TABLE public.billing_decision DROP COLUMN recorded_at"),
        migrations.RunSQL(LATE, "DROP INDEX public.billing_settlement_late; DROP INDEX public.billing_decision_late"),
    ]
