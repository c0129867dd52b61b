"""The SQL of a batch, and the batch as its one parameter.

A batch travels as one JSON text read by `json_to_recordset`: msgspec writes it at a tenth of what
thirty array parameters cost the client, and the server reads it no slower than `unnest` (ADR-0003).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from billing.ledger.rows import Intent, Settlement
from common.ids import month_of

SHARED = {
    "request_id": "uuid",
    "attempt": "smallint",
    "month": "date",
    "tenant_id": "uuid",
    "api_key_id": "uuid",
    "user_id": "uuid",
    "provider": "text",
    "provider_scope": "text",
    "model": "text",
    "requested_model": "text",
    "stream": "boolean",
    "process_id": "uuid",
    "price_version": "text",
}
INTENT_COLUMNS = {
    **SHARED,
    "dispatched_at": "timestamptz",
    "estimated_input_tokens": "bigint",
    "estimated_cost_nano": "bigint",
}
AMOUNTS = {
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cache_read_tokens": "bigint",
    "cache_write_tokens": "bigint",
    "reasoning_tokens": "bigint",
    "input_audio_tokens": "bigint",
    "output_audio_tokens": "bigint",
    "cost_nano": "bigint",
    "charge_nano": "bigint",
}
SETTLEMENT_COLUMNS = {
    **SHARED,
    **AMOUNTS,
    "usage_source": "text",
    "priced": "boolean",
    "outcome": "text",
    "finish_reason": "text",
    "error_code": "text",
    "started_at": "timestamptz",
    "time_to_first_chunk_ms": "integer",
    "duration_ms": "integer",
}


def recordset(columns: dict[str, str]) -> str:
    return f"json_to_recordset($1::json) AS incoming({', '.join(f'{name} {kind}' for name, kind in columns.items())})"


def listed(columns: dict[str, str], prefix: str = "") -> str:
    return ", ".join(prefix + name for name in columns)


# Every name below is a constant of this file, so nothing from outside becomes SQL.
INSERT_INTENTS = f"""
INSERT INTO public.billing_intent ({listed(INTENT_COLUMNS)})
SELECT {listed(INTENT_COLUMNS)} FROM {recordset(INTENT_COLUMNS)}
ON CONFLICT DO NOTHING
""".encode()  # noqa: S608

INSERT_SETTLEMENTS = f"""
INSERT INTO public.billing_settlement (kind, {listed(SETTLEMENT_COLUMNS)})
SELECT 'settlement', {listed(SETTLEMENT_COLUMNS)} FROM {recordset(SETTLEMENT_COLUMNS)}
ON CONFLICT DO NOTHING
""".encode()  # noqa: S608

# What the reaper guessed is corrected by the difference to the truth. A statement of its own,
# after the insert: it must see a guess that was committed while the insert waited for it.
INSERT_CORRECTIONS = f"""
INSERT INTO public.billing_settlement (kind, {listed(SETTLEMENT_COLUMNS)})
SELECT 'correction', {
    ", ".join(
        f"incoming.{name} - guess.{name}" if name in AMOUNTS else f"incoming.{name}" for name in SETTLEMENT_COLUMNS
    )
}
FROM {recordset(SETTLEMENT_COLUMNS)}
JOIN public.billing_settlement AS guess
  ON guess.request_id = incoming.request_id AND guess.attempt = incoming.attempt
 AND guess.month = incoming.month AND guess.kind = 'settlement'
WHERE guess.outcome = 'killed' AND incoming.outcome <> 'killed'
ON CONFLICT DO NOTHING
""".encode()  # noqa: S608

CREATE_PARTITIONS = b"SELECT public.billing_create_partitions($1::date)"

ENCODER = msgspec.json.Encoder()


def intent_values(row: Intent) -> dict[str, Any]:
    return {
        "request_id": row.request_id,
        "attempt": row.attempt,
        "month": month_of(row.request_id),
        "tenant_id": row.tenant_id,
        "api_key_id": row.api_key_id,
        "user_id": row.user_id,
        "provider": row.provider,
        "provider_scope": row.provider_scope,
        "model": row.model,
        "requested_model": row.requested_model,
        "stream": row.stream,
        "process_id": row.process_id,
        "price_version": row.price_version,
        "dispatched_at": row.dispatched_at,
        "estimated_input_tokens": row.estimated_input_tokens,
        "estimated_cost_nano": row.estimated_cost_nano,
    }


def settlement_values(row: Settlement) -> dict[str, Any]:
    usage = row.usage
    return {
        "request_id": row.request_id,
        "attempt": row.attempt,
        "month": month_of(row.request_id),
        "tenant_id": row.tenant_id,
        "api_key_id": row.api_key_id,
        "user_id": row.user_id,
        "provider": row.provider,
        "provider_scope": row.provider_scope,
        "model": row.model,
        "requested_model": row.requested_model,
        "stream": row.stream,
        "process_id": row.process_id,
        "price_version": row.price_version,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "input_audio_tokens": usage.input_audio_tokens,
        "output_audio_tokens": usage.output_audio_tokens,
        "cost_nano": row.cost_nano,
        "charge_nano": row.charge_nano,
        "usage_source": row.usage_source,
        "priced": row.priced,
        "outcome": row.outcome,
        "finish_reason": row.finish_reason,
        "error_code": row.error_code,
        "started_at": row.started_at,
        "time_to_first_chunk_ms": row.time_to_first_chunk_ms,
        "duration_ms": row.duration_ms,
    }


def encode_intents(rows: Sequence[Intent]) -> str:
    """The parameter of INSERT_INTENTS. Raises ValueError, TypeError or OverflowError for a row that is no JSON."""
    return ENCODER.encode([intent_values(row) for row in rows]).decode()


def encode_settlements(rows: Sequence[Settlement]) -> str:
    """The parameter of INSERT_SETTLEMENTS and INSERT_CORRECTIONS. Raises as `encode_intents`."""
    return ENCODER.encode([settlement_values(row) for row in rows]).decode()


def months(request_ids: Sequence[UUID]) -> list[str]:
    """The months that these requests' rows live in, as parameters of CREATE_PARTITIONS."""
    return sorted({month_of(request_id).isoformat() for request_id in request_ids})
