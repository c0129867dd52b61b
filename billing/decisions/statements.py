"""The SQL of a batch of records, which travels as one JSON text like the ledger's (ADR-0003).

The records are encoded as they are, lists and all, in one call: a dictionary of each would cost more than the rest.
"""

from collections.abc import Sequence

import msgspec

from billing.decisions.records import Decision
from billing.ledger.connection import LedgerConnection
from billing.ledger.inserts import encoded, insert
from billing.ledger.statements import listed, recordset

COLUMNS = {
    "request_id": "uuid",
    "tenant_id": "uuid",
    "api_key_id": "uuid",
    "user_id": "uuid",
    "requested_model": "text",
    "dialect": "text",
    "stream": "boolean",
    "outcome": "text",
    "decided_at": "timestamptz",
    "duration_ms": "integer",
    "route": "text",
    "strategy": "text",
    "error_code": "text",
    "considered": "jsonb",
    "tried": "jsonb",
    "limits": "jsonb",
    "auto": "jsonb",
    "details": "jsonb",
}

# Every name is a constant of this file, so nothing from outside becomes SQL. What has its default does not travel.
INSERT_DECISIONS = f"""
INSERT INTO public.billing_decision (month, cache, {listed(COLUMNS)})
SELECT public.billing_month_of(request_id), coalesce(cache, 'off'), {listed(COLUMNS)}
FROM {recordset({**COLUMNS, "cache": "text"})}
ON CONFLICT DO NOTHING
""".encode()  # noqa: S608

ENCODER = msgspec.json.Encoder()


def encode_decisions(rows: Sequence[Decision]) -> str:
    """The parameter of INSERT_DECISIONS. Raises ValueError, TypeError or OverflowError for a row that is no JSON."""
    return ENCODER.encode(rows).decode()


async def insert_decisions(connection: LedgerConnection, rows: Sequence[Decision]) -> None:
    """Durable on return, whether new or written before. Raises ConnectionLost, RowRefused."""
    batch = encoded(encode_decisions, rows)
    await insert(connection, INSERT_DECISIONS, batch, [row.request_id for row in rows])
