"""A ledger whose rows were settled when they were made, by the thousand."""

from datetime import timedelta

from billing.rollups.frontier import BUCKET, bucket_of
from billing.tests.entries import connect

# Told apart by `number`: every seventh request failed over to another provider, and every eleventh has no known price.
FILL = """
INSERT INTO public.billing_settlement (
    request_id, attempt, kind, month, tenant_id, api_key_id, user_id, provider, provider_scope, model, requested_model,
    stream, process_id, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
    input_audio_tokens, output_audio_tokens, usage_source, cost_nano, charge_nano, price_version, outcome, started_at,
    time_to_first_chunk_ms, duration_ms, settled_at)
SELECT made.request_id, attempt, 'settlement', public.billing_month_of(made.request_id), %(tenant_id)s,
    (%(keys)s::uuid[])[1 + number %% cardinality(%(keys)s::uuid[])],
    (%(users)s::uuid[])[1 + number %% cardinality(%(users)s::uuid[])],
    (ARRAY['alpha', 'beta', 'gamma'])[1 + (number + attempt) %% 3], 'platform', 'model-' || number %% 4, 'default',
    number %% 2 = 0, made.request_id, 100 + number %% 50, number %% 40, number %% 10, 0, number %% 5, 0, 0, 'provider',
    1000003 * (number %% 97) + attempt, 1100009 * (number %% 89) + attempt,
    CASE WHEN number %% 11 > 0 THEN 'test-1' END,
    CASE WHEN attempt = 1 AND number %% 7 = 0 THEN 'failed' ELSE 'completed' END, made_at,
    CASE WHEN number %% 2 = 0 THEN 20 END, 300, made_at + interval '2 seconds'
FROM (
    SELECT number, made_at,
        (lpad(to_hex((extract(epoch FROM made_at) * 1000)::bigint), 12, '0') || '7000' || '8'
            || substr(md5(%(tenant_id)s::text || number), 1, 15))::uuid AS request_id
    FROM (
        SELECT number, %(since)s::timestamptz + number * (%(until)s::timestamptz - %(since)s::timestamptz) / %(count)s
            AS made_at
        FROM generate_series(0, %(count)s - 1) AS number) AS spread) AS made
CROSS JOIN generate_series(1, 2) AS attempt
WHERE attempt = 1 OR number %% 7 = 0
"""


def fill(tenant, *, since, until, count, keys=(None,), users=(None,)):
    """`count` requests, evenly spread over the time. Whoever fills what is rolled up already has to rebuild it."""
    parameters = {"tenant_id": tenant.id, "since": since, "until": until, "count": count}
    with connect() as connection:
        connection.execute(FILL, {**parameters, "keys": list(keys), "users": list(users)})


def whole_ledger(tenant, since, until):
    """Attempts, requests, tokens and money as a plain sum over the ledger has them."""
    with connect() as connection:
        return connection.execute(
            "SELECT count(*) AS attempts, count(DISTINCT request_id) AS requests,"
            " count(DISTINCT request_id) FILTER (WHERE price_version IS NULL) AS unpriced_requests,"
            " coalesce(sum(input_tokens), 0)::bigint AS input_tokens,"
            " coalesce(sum(cost_nano), 0)::bigint AS cost_nano, coalesce(sum(charge_nano), 0)::bigint AS charge_nano"
            " FROM public.billing_settlement WHERE tenant_id = %s"
            " AND public.billing_made_at(request_id) >= %s AND public.billing_made_at(request_id) < %s",
            [tenant.id, since, until],
        ).fetchone()


def quarters(since, until):
    """Edges of every bucket from one moment to another."""
    edges = [bucket_of(since)]
    while edges[-1] < until:
        edges.append(edges[-1] + BUCKET)
    return edges


def days_ago(now, days):
    return bucket_of(now) - timedelta(days=days)
