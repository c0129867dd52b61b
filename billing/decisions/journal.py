"""Decision records on their way to PostgreSQL, on the connection of the settlements and after them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import structlog

from billing.decisions.records import Decision
from billing.decisions.salvage import fits, salvaged
from billing.decisions.statements import insert_decisions
from billing.ledger.connection import ConnectionLost, LedgerConnection, RowRefused
from billing.ledger.spool import Entry, Spool

log = structlog.get_logger(__name__)

GATHER_SECONDS: Final = 0.1
# A batch of its own size: settlements wait for one of these at most.
CHUNK: Final = 200
PAUSE_SECONDS: Final = 0.05
SECONDS_AFTER_A_FAILURE: Final = 1.0
SHARE: Final = 4
"""A tenant may have one record in so many of a full queue before it makes way for itself."""


class Salvaged(Entry[Decision]):
    """A record that was refused once, in another form."""

    __slots__ = ()


class Journal:
    """A queue of at most `most` records. When it is full a tenant's own oldest gives way to what it adds beyond its
    share, to others the oldest of whoever has most. Nothing here waits for it, and it never fails.

    `give_way` tells whether the settlements are behind, so that their connection is left to them.
    """

    def __init__(self, connection: LedgerConnection, *, most: int, give_way: Callable[[], bool]) -> None:
        self._most = most
        self._give_way = give_way
        self._spool: Spool[Decision] = Spool(
            connection,
            self._insert,
            written=self._written,
            refused=self._refused,
            gather_seconds=GATHER_SECONDS,
            chunk=CHUNK,
        )
        self.dropped = 0
        self._held: Counter[UUID] = Counter()
        self.run = self._spool.run

    def __len__(self) -> int:
        return len(self._spool)

    def add(self, decision: Decision, now: float) -> None:
        """`now`: on the loop's clock."""
        if len(self._spool) >= self._most:
            self._make_room(decision.tenant_id)
        self._held[decision.tenant_id] += 1
        self._spool.add(Entry(decision if fits(decision) else salvaged(decision), now))

    def _make_room(self, tenant_id: UUID) -> None:
        held, giving = self._held, tenant_id
        if held[tenant_id] < self._most // SHARE:
            giving = max(held, key=held.__getitem__)
        # What is being sent cannot give way.
        forgotten = self._spool.forget_oldest(lambda row: row.tenant_id == giving) or self._spool.forget_oldest(any_row)
        if forgotten is not None:
            self._let_go(forgotten)
            self._drop("full")

    def _let_go(self, decision: Decision) -> None:
        self._held[decision.tenant_id] -= 1
        if not self._held[decision.tenant_id]:
            del self._held[decision.tenant_id]

    def oldest_queued_at(self) -> float | None:
        return self._spool.oldest_queued_at()

    async def emptied(self) -> None:
        """Returns once every record is durable or given up."""
        self._spool.gather_seconds = 0
        await self._spool.emptied()

    async def _insert(self, connection: LedgerConnection, rows: Sequence[Decision]) -> None:
        while self._give_way():  # noqa: ASYNC110 - an age is no event
            await asyncio.sleep(PAUSE_SECONDS)
        try:
            await insert_decisions(connection, rows)
        except ConnectionLost:
            # Whatever was in the way may have been these rows: the settlements go first now.
            await asyncio.sleep(SECONDS_AFTER_A_FAILURE)
            raise

    def _written(self, entry: Entry[Decision]) -> None:
        self._let_go(entry.row)

    def _refused(self, entry: Entry[Decision], error: RowRefused) -> None:
        """Once more in a storable form; after that it is given up."""
        if not isinstance(entry, Salvaged):
            self._spool.add(Salvaged(salvaged(entry.row), entry.queued_at))
            return
        log.warning("decision_refused", request_id=str(entry.row.request_id), error=ascii(error.__cause__))
        self._let_go(entry.row)
        self._drop("refused")

    def _drop(self, why: str) -> None:
        self.dropped += 1
        if self.dropped.bit_count() == 1:
            log.warning("decisions_dropped", dropped=self.dropped, why=why)


def any_row(decision: Decision) -> bool:
    return True
