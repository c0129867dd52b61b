"""Writing a batch: encode, insert, and make a month that nobody made ahead."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from billing.ledger import statements
from billing.ledger.connection import LedgerConnection, PartitionMissing, RowRefused
from billing.ledger.rows import Intent, Settlement

Row = TypeVar("Row")


async def insert_intents(connection: LedgerConnection, rows: Sequence[Intent]) -> None:
    """Durable on return, whether new or written before. Raises ConnectionLost, RowRefused."""
    batch = encoded(statements.encode_intents, rows)
    await insert(connection, statements.INSERT_INTENTS, batch, [row.request_id for row in rows])


async def insert_settlements(connection: LedgerConnection, rows: Sequence[Settlement]) -> None:
    """Durable on return, as settlements or as corrections of the reaper's. Raises ConnectionLost, RowRefused."""
    batch = encoded(statements.encode_settlements, rows)
    inserted = await insert(connection, statements.INSERT_SETTLEMENTS, batch, [row.intent.request_id for row in rows])
    if inserted < len(rows):
        await connection.execute(statements.INSERT_CORRECTIONS, [batch])


async def insert(connection: LedgerConnection, query: bytes, batch: str, request_ids: Sequence[UUID]) -> int:
    try:
        return await connection.execute(query, [batch])
    except PartitionMissing:
        for month in statements.months(request_ids):
            await connection.execute(statements.CREATE_PARTITIONS, [month])
    try:
        return await connection.execute(query, [batch])
    except PartitionMissing as error:
        raise RowRefused from error


def encoded(encode: Callable[[Sequence[Row]], str], rows: Sequence[Row]) -> str:
    try:
        return encode(rows)
    except (ValueError, TypeError, OverflowError) as error:
        raise RowRefused from error
