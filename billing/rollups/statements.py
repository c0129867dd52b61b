"""The ledger as rows of a rollup: the one SELECT that rolls it up, and that reads what isn't rolled up yet.

Requests are found by the time in their ids, so that one index range is read in each month.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from common.ids import earliest_id, month_of

KEYS: Final = (
    "tenant_id",
    "bucket",
    "provider",
    "provider_scope",
    "model",
    "api_key_id",
    "user_id",
    "outcome",
    "stream",
)
TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "cache_write_1h_tokens",
)

# Each sum of a settlement's rows, then of a decision's. Corrections are differences, so a plain sum is the truth; they
# are no requests or attempts of their own. A request counts at its first attempt: once in all, once for each provider,
# once for each model.
SUMS: Final = {
    "requests": ("count(*) FILTER (WHERE sent AND attempt = first)", "0"),
    "requests_of_provider": ("count(*) FILTER (WHERE sent AND attempt = first_of_provider)", "0"),
    "requests_of_model": ("count(*) FILTER (WHERE sent AND attempt = first_of_model)", "0"),
    "unpriced": ("count(*) FILTER (WHERE sent AND attempt = unpriced)", "0"),
    "unpriced_of_provider": ("count(*) FILTER (WHERE sent AND attempt = unpriced_of_provider)", "0"),
    "unpriced_of_model": ("count(*) FILTER (WHERE sent AND attempt = unpriced_of_model)", "0"),
    "attempts": ("count(*) FILTER (WHERE sent)", "0"),
    **{name: (f"sum({name})::bigint", "0") for name in (*TOKENS, "cost_nano", "charge_nano")},
    "duration_ms": ("coalesce(sum(duration_ms) FILTER (WHERE well), 0)::bigint", "0"),
    "first_chunks": ("count(time_to_first_chunk_ms) FILTER (WHERE well AND stream)", "0"),
    "first_chunk_ms": ("coalesce(sum(time_to_first_chunk_ms) FILTER (WHERE well AND stream), 0)::bigint", "0"),
    "cache_hits": ("0", "count(*)"),
    "saved_cost_nano": ("0", "coalesce(sum(saved_cost_nano), 0)::bigint"),
    "saved_charge_nano": ("0", "coalesce(sum(saved_charge_nano), 0)::bigint"),
}
COLUMNS: Final = ", ".join((*KEYS, *SUMS))
BIN: Final = "date_bin('15 minutes', public.billing_made_at(request_id), '2000-01-01T00:00:00Z'::timestamptz)"

# Every name below is a constant of this file, so nothing from outside becomes SQL. What a process could not store as
# it was (a salvaged record) says nothing of what was saved.
LEDGER: Final = f"""
SELECT {", ".join((*KEYS, *(ledger for ledger, _ in SUMS.values())))} FROM (
    SELECT *,
        min(attempt) FILTER (WHERE sent) OVER of_request AS first,
        min(attempt) FILTER (WHERE sent) OVER of_provider AS first_of_provider,
        min(attempt) FILTER (WHERE sent) OVER of_model AS first_of_model,
        min(attempt) FILTER (WHERE sent AND price_version IS NULL) OVER of_request AS unpriced,
        min(attempt) FILTER (WHERE sent AND price_version IS NULL) OVER of_provider AS unpriced_of_provider,
        min(attempt) FILTER (WHERE sent AND price_version IS NULL) OVER of_model AS unpriced_of_model
    FROM (
        SELECT entry.*, {BIN} AS bucket, kind = 'settlement' AND outcome <> 'not_dispatched' AS sent,
            kind = 'settlement' AND outcome = 'completed' AS well
        FROM unnest(%(starts)s::uuid[], %(ends)s::uuid[]) AS piece(starts, ends)
        JOIN public.billing_settlement AS entry
            ON entry.request_id >= piece.starts AND entry.request_id < piece.ends
        WHERE entry.month BETWEEN %(first_month)s AND %(last_month)s {{whose}}
    ) AS entry
    WINDOW of_request AS (PARTITION BY request_id),
        of_provider AS (PARTITION BY request_id, provider),
        of_model AS (PARTITION BY request_id, provider, model)
) AS entry
GROUP BY {", ".join(KEYS)}
UNION ALL
SELECT tenant_id, bucket, NULL, NULL, requested_model, api_key_id, user_id, outcome, stream,
    {", ".join(decision for _, decision in SUMS.values())}
FROM (
    SELECT entry.*, {BIN} AS bucket,
        CASE jsonb_typeof(details -> 'saved_cost_nano')
            WHEN 'number' THEN (details ->> 'saved_cost_nano')::bigint END AS saved_cost_nano,
        CASE jsonb_typeof(details -> 'saved_charge_nano')
            WHEN 'number' THEN (details ->> 'saved_charge_nano')::bigint END AS saved_charge_nano
    FROM unnest(%(starts)s::uuid[], %(ends)s::uuid[]) AS piece(starts, ends)
    JOIN public.billing_decision AS entry ON entry.request_id >= piece.starts AND entry.request_id < piece.ends
    WHERE entry.outcome = 'cached' AND entry.month BETWEEN %(first_month)s AND %(last_month)s {{whose}}
) AS entry
GROUP BY tenant_id, bucket, requested_model, api_key_id, user_id, outcome, stream
"""  # noqa: S608

OF_ALL: Final = LEDGER.format(whose="")
OF_TENANT: Final = LEDGER.format(whose="AND entry.tenant_id = %(tenant_id)s")

Piece = tuple[datetime, datetime]


def pieces_of(pieces: Iterable[Piece]) -> dict[str, Any]:
    """The parameters that LEDGER takes for stretches of time, ends not included. Without one it finds nothing."""
    bounds = [(earliest_id(start), earliest_id(end)) for start, end in pieces]
    months = [month_of(bound) for each in bounds for bound in each]
    return {
        "starts": [start for start, _ in bounds],
        "ends": [end for _, end in bounds],
        "first_month": min(months, default=None),
        "last_month": max(months, default=None),
    }
