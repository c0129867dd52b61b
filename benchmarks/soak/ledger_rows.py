"""The ledger as its tables hold it, read past every policy by the database's superuser."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, scalar_row

from benchmarks.platform import Platform

INTENTS = """
SELECT request_id::text, attempt, estimated_cost_nano FROM billing_intent
"""
SETTLEMENTS = """
SELECT request_id::text, attempt, kind, output_tokens, usage_source, cost_nano, charge_nano, outcome
FROM billing_settlement ORDER BY settled_at
"""
DECISIONS = """
SELECT request_id::text, outcome, jsonb_array_length(coalesce(tried, '[]'::jsonb)) FROM billing_decision
"""
OPEN = """
SELECT count(*)::int FROM billing_intent i WHERE NOT EXISTS (
    SELECT 1 FROM billing_settlement s WHERE s.request_id = i.request_id AND s.attempt = i.attempt)
"""


@dataclass(frozen=True, slots=True)
class IntentRow:
    request_id: str
    attempt: int
    estimated_cost_nano: int


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """A row of kind `settlement`, or a `correction` that holds differences."""

    request_id: str
    attempt: int
    kind: str
    output_tokens: int
    usage_source: str
    cost_nano: int
    charge_nano: int
    outcome: str


def read_ledger(platform: Platform) -> tuple[list[IntentRow], list[SettlementRow]]:
    with connect(platform) as connection:
        intents = connection.cursor(row_factory=class_row(IntentRow)).execute(INTENTS).fetchall()
        settlements = connection.cursor(row_factory=class_row(SettlementRow)).execute(SETTLEMENTS).fetchall()
    return intents, settlements


def read_decisions(platform: Platform) -> dict[str, tuple[str, int]]:
    """Of every request on record: its outcome, and how many attempts the record tells of."""
    with connect(platform) as connection:
        rows = connection.execute(DECISIONS).fetchall()
    return {request_id: (outcome, tried) for request_id, outcome, tried in rows}


def open_intents(platform: Platform) -> int:
    """Intents without a settlement."""
    with connect(platform) as connection:
        counted = connection.cursor(row_factory=scalar_row).execute(OPEN).fetchone()
    return int(counted or 0)


def connect(platform: Platform) -> psycopg.Connection[Any]:
    return psycopg.connect(platform.embedded.postgres.superuser_url, dbname="orchestrator", connect_timeout=10)
