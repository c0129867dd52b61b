"""Rows on their way to the ledger: queued, gathered into batches, sent until each is durable or refused."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from billing.ledger.connection import ConnectionLost, LedgerConnection, RowRefused

Row = TypeVar("Row")


class Entry(Generic[Row]):
    """A row and what is known of it. `durable` is resolved for those who wait."""

    __slots__ = ("abandoned", "durable", "queued_at", "row", "sent")

    def __init__(self, row: Row, queued_at: float, durable: "asyncio.Future[None] | None" = None) -> None:
        self.row = row
        self.queued_at = queued_at
        self.durable = durable
        self.sent = False
        self.abandoned = False


class Spool(Generic[Row]):
    """One connection's queue. A batch takes what queued while the one before was written.

    `insert` writes rows idempotently. `written` and `refused` are told each row's end, once.
    `gather_seconds` lets a batch grow before it leaves. A batch of unknown outcome is sent again,
    one that is refused is halved until the row at fault is alone.
    """

    def __init__(
        self,
        connection: LedgerConnection,
        insert: Callable[[LedgerConnection, Sequence[Row]], Awaitable[None]],
        *,
        written: Callable[[Entry[Row]], None],
        refused: Callable[[Entry[Row], RowRefused], None],
        gather_seconds: float,
        chunk: int,
    ) -> None:
        self._connection = connection
        self._insert = insert
        self._written = written
        self._refused = refused
        self._chunk = chunk
        self._queue: deque[Entry[Row]] = deque()
        self._again: deque[list[Entry[Row]]] = deque()
        self._sending: list[Entry[Row]] = []
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.gather_seconds = gather_seconds

    def add(self, entry: Entry[Row]) -> None:
        self._queue.append(entry)
        self._empty.clear()
        self._wake.set()

    def forget_oldest(self, of: Callable[[Row], bool]) -> Row | None:
        """Drops the row that waits longest of those that were never sent, and are `of` it; which that was."""
        for place, entry in enumerate(self._queue):
            if of(entry.row):
                del self._queue[place]
                return entry.row
        return None

    def __len__(self) -> int:
        return len(self._queue) + len(self._sending) + sum(map(len, self._again))

    def oldest_queued_at(self) -> float | None:
        """When the row that waits longest was queued, on the loop's clock. Every request asks: rows are in the order of
        their queueing, so that the first of a batch stands for it."""
        if self._sending or self._again:
            return min((batch[0].queued_at for batch in (self._sending, *self._again) if batch), default=None)
        return self._queue[0].queued_at if self._queue else None

    async def emptied(self) -> None:
        """Returns once every row is durable, refused or abandoned."""
        await self._empty.wait()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._connection.ensure()
            if not self._again:
                await self._gather()
            await self._write(self._next_batch())
            if not self._queue and not self._again:
                self._empty.set()

    async def _gather(self) -> None:
        if not self._queue:
            self._wake.clear()
            await self._wake.wait()
        if self.gather_seconds and len(self._queue) < self._chunk:
            await asyncio.sleep(self.gather_seconds)

    def _next_batch(self) -> list[Entry[Row]]:
        if self._again:
            batch = self._again.popleft()
        else:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._chunk))]
        return [entry for entry in batch if not entry.abandoned]

    async def _write(self, batch: list[Entry[Row]]) -> None:
        if not batch:
            return
        self._sending = batch
        for entry in batch:
            entry.sent = True
        try:
            await self._insert(self._connection, [entry.row for entry in batch])
        except ConnectionLost:
            self._again.appendleft(batch)
        except RowRefused as error:
            self._halve(batch, error)
        except Exception as error:  # whatever it is, it must not stop the rows behind it
            refusal = RowRefused()
            refusal.__cause__ = error
            self._halve(batch, refusal)
        else:
            for entry in batch:
                self._written(entry)
        finally:
            self._sending = []

    def _halve(self, batch: list[Entry[Row]], error: RowRefused) -> None:
        if len(batch) == 1:
            self._refused(batch[0], error)
            return
        middle = len(batch) // 2
        self._again.appendleft(batch[middle:])
        self._again.appendleft(batch[:middle])
