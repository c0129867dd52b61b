"""Makes the database refuse a share of the statements that bind a connection to a tenant.

The statement is replaced by one that the server itself fails, so transactions break as they would for real.
"""

import random
from typing import Any

import psycopg

BINDING = ("search_path", "set_config")
FAILING = "SELECT 1/0 AS injected"


class FailingSets:
    """While entered, every cursor of psycopg in this process is affected."""

    def __init__(self, share: float, seed: int) -> None:
        self._share = share
        self._chance = random.Random(seed)
        self._execute = psycopg.Cursor.execute
        self.injected = 0

    def __enter__(self) -> "FailingSets":
        real = self._execute

        def execute(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
            if (
                isinstance(query, str)
                and any(word in query for word in BINDING)
                and self._chance.random() < self._share
            ):
                self.injected += 1
                return real(cursor, FAILING, **options)
            return real(cursor, query, params, **options)

        psycopg.Cursor.execute = execute  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        psycopg.Cursor.execute = self._execute  # type: ignore[method-assign]
