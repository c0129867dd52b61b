"""The ledger read apart from the platform's own code, in SQL."""

import time
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

SETTLED_SECONDS = 10.0
OPEN = """
SELECT count(*) FROM billing_intent AS intent
WHERE NOT EXISTS (SELECT FROM billing_settlement AS s
                  WHERE s.request_id = intent.request_id AND s.attempt = intent.attempt)
"""


class LedgerRows:
    def __init__(self, database_url: str) -> None:
        self._connection = psycopg.connect(database_url, autocommit=True, row_factory=dict_row)
        self._connection.execute("SET ROLE orchestrator_system")

    def close(self) -> None:
        self._connection.close()

    def attempts(self, request_id: str | UUID) -> list[dict[str, Any]]:
        """The settlements of one request in the order of its attempts: one for each intent, or AssertionError."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            intents = self._rows("billing_intent", request_id)
            settlements = self._rows("billing_settlement", request_id)
            numbers = [row["attempt"] for row in intents]
            if numbers and numbers == [row["attempt"] for row in settlements]:
                return settlements
            assert time.monotonic() < deadline, f"attempts {numbers}, settlements {settlements}"
            time.sleep(0.02)

    def only(self, request_id: str | UUID) -> dict[str, Any]:
        """The settlement of a request that had one attempt."""
        (row,) = self.attempts(request_id)
        return row

    def mentions(self, request_id: str | UUID) -> bool:
        return bool(self._rows("billing_intent", request_id) or self._rows("billing_settlement", request_id))

    def wait_settled(self) -> None:
        deadline = time.monotonic() + SETTLED_SECONDS
        while self._connection.execute(OPEN).fetchone() != {"count": 0}:
            assert time.monotonic() < deadline, "attempts were left open"
            time.sleep(0.05)

    def total_cost(self, tenant_id: str) -> int:
        row = self._connection.execute(
            "SELECT coalesce(sum(cost_nano), 0)::bigint AS nano FROM billing_settlement WHERE tenant_id = %s",
            [tenant_id],
        ).fetchone()
        assert row is not None
        return int(row["nano"])

    def expire(self, key: str, *, seconds: float) -> None:
        """Not the ledger's: lets a key of a tenant that nobody has loaded yet expire soon, which no command would."""
        self._connection.execute(
            "UPDATE tenants_apikey SET expires_at = now() + make_interval(secs => %s) WHERE key_id = %s",
            [seconds, key.split("_")[1]],
        )

    def _rows(self, table: str, request_id: str | UUID) -> list[dict[str, Any]]:
        query = f"SELECT * FROM {table} WHERE request_id = %s ORDER BY attempt"
        return self._connection.execute(query, [str(request_id)]).fetchall()
