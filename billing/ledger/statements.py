"""The SQL of a batch, and the batch as its one parameter.

A batch travels as one JSON text read by `json_to_recordset`: msgspec writes it at a tenth of what
thirty array parameters cost the client, and the server reads it no slower than `unnest` (ADR-0003).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import asdict

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
    "cache_write_1h_tokens": "bigint",
    "cost_nano": "bigint",
    "charge_nano": "bigint",
}
SETTLEMENT_COLUMNS = {
    **SHARED,
    **AMOUNTS,
    "usage_source": "text",
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
    return asdict(row) | {"month": month_of(row.request_id)}


def settlement_values(row: Settlement) -> dict[str, Any]:
    values = asdict(row.intent) | asdict(row.usage) | asdict(row)
    values["month"] = month_of(row.intent.request_id)
    values["started_at"] = values.pop("dispatched_at")
    # No columns of a settlement: the server would skip them, but they would travel.
    del values["intent"], values["usage"], values["estimated_input_tokens"], values["estimated_cost_nano"]
    return values


def encode_intents(rows: Sequence[Intent]) -> str:
    """The parameter of INSERT_INTENTS. Raises ValueError, TypeError or OverflowError for a row that is no JSON."""
    return ENCODER.encode([intent_values(row) for row in rows]).decode()


def encode_settlements(rows: Sequence[Settlement]) -> str:
    """The parameter of INSERT_SETTLEMENTS and INSERT_CORRECTIONS. Raises as `encode_intents`."""
    return ENCODER.encode([settlement_values(row) for row in rows]).decode()


def months(request_ids: Sequence[UUID]) -> list[str]:
    """The months that these requests' rows live in, as parameters of CREATE_PARTITIONS."""
    return sorted({month_of(request_id).isoformat() for request_id in request_ids})
