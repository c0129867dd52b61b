"""The ledger as the gateway holds it: open an intent, dispatch, settle.

An intent is awaited, a settlement is written behind. Both survive a PostgreSQL that is killed,
hangs or comes back: rows are sent until they are durable, and sending one twice changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import structlog

from billing.decisions.journal import Journal
from billing.decisions.records import Decision
from billing.ledger import heartbeat
from billing.ledger.connection import ConnectionLost, LedgerConnection, RowRefused
from billing.ledger.inserts import insert_intents, insert_settlements
from billing.ledger.rows import Intent, Settlement, not_dispatched
from billing.ledger.salvage import salvaged
from billing.ledger.spool import Entry, Spool
from common.clock import Clock, SystemClock
from common.errors import Unavailable

log = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """When the ledger stops taking new requests. Seconds, rows.

    Decision records are dropped beyond `decision_rows`, and wait while a settlement is older than `decisions_wait`.
    """

    intent_deadline: float = 5.0
    intent_rows: int = 5_000
    intent_age: float = 1.0
    settlement_rows: int = 20_000
    settlement_age: float = 30.0
    heartbeat_age: float = 10.0
    command_seconds: float = 3.0
    chunk: int = 500
    gather_seconds: float = 0.015
    decision_rows: int = 10_000
    decisions_wait: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The writer at one moment. `refused_rows` counts what was logged because it could never be written,
    `decisions_dropped` the decision records that were given up."""

    intents_queued: int
    settlements_queued: int
    oldest_intent_seconds: float
    oldest_settlement_seconds: float
    open_intents: int
    refused_rows: int
    decisions_queued: int
    oldest_decision_seconds: float
    decisions_dropped: int


class LedgerWriter:
    """Three queues, two connections, one heartbeat; lives on one event loop, from `start` to `drain`.

    `settle` has no limit of its own: what it can be given is bounded by the attempts under way,
    and `accepting` turns false at the caps before more are begun.
    """

    def __init__(
        self,
        database_url: str,
        *,
        process_id: UUID,
        kind: str = "web",
        clock: Clock | None = None,
        caps: Caps | None = None,
    ) -> None:
        self.process_id = process_id
        self._kind = kind
        self._clock = clock or SystemClock()
        self._caps = caps = caps or Caps()
        self._intent_connection = LedgerConnection(
            database_url, name="intents", command_seconds=min(caps.command_seconds, caps.intent_deadline)
        )
        self._settlement_connection = LedgerConnection(
            database_url, name="settlements", command_seconds=caps.command_seconds
        )
        self._intents: Spool[Intent] = Spool(
            self._intent_connection,
            insert_intents,
            written=self._intent_written,
            refused=self._intent_refused,
            gather_seconds=0,
            chunk=caps.chunk,
        )
        self._settlements: Spool[Settlement] = Spool(
            self._settlement_connection,
            insert_settlements,
            written=self._settlement_written,
            refused=self._settlement_refused,
            gather_seconds=caps.gather_seconds,
            chunk=caps.chunk,
        )
        self._decisions = Journal(
            self._settlement_connection, most=caps.decision_rows, give_way=self._settlements_are_behind
        )
        self._open: dict[tuple[UUID, int], datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._beaten_at: float | None = None
        self._refused_rows = 0
        self._draining = False

    async def start(self) -> None:
        """Begin writing. Waits a moment for PostgreSQL and goes on without it: `accepting` tells."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [
            asyncio.create_task(kept_up(self._intents.run), name="ledger intents"),
            asyncio.create_task(kept_up(self._settlements.run), name="ledger settlements"),
            asyncio.create_task(kept_up(self._decisions.run), name="decision records"),
            asyncio.create_task(kept_up(self._beat_on), name="ledger heartbeat"),
        ]
        for _ in range(100):
            if self.accepting:
                return
            await asyncio.sleep(0.02)

    @property
    def accepting(self) -> bool:
        """Whether a new request has a fair chance to be recorded. Ask before admission."""
        caps = self._caps
        return (
            not self._draining
            and self._intent_connection.connected
            and self._beaten_at is not None
            and self._loop.time() - self._beaten_at < caps.heartbeat_age
            and len(self._intents) < caps.intent_rows
            and len(self._settlements) < caps.settlement_rows
            and self._age(self._intents) < caps.intent_age
            and self._age(self._settlements) < caps.settlement_age
        )

    async def open(self, intent: Intent) -> None:
        """Durable when it returns. Raises Unavailable, with nothing left open, when that takes too long."""
        if not self.accepting:
            raise unavailable()
        durable = self._loop.create_future()
        entry = Entry(intent, self._loop.time(), durable)
        overdue = self._loop.call_later(self._caps.intent_deadline, expire, durable)
        self._open[intent.request_id, intent.attempt] = intent.dispatched_at
        self._intents.add(entry)
        try:
            await durable
        except BaseException:
            self._abandon(entry)
            raise
        finally:
            overdue.cancel()

    def settle(self, settlement: Settlement) -> None:
        """Queue how an attempt ended. Never blocks and never drops; the same attempt twice is once."""
        self._settlements.add(Entry(settlement, self._loop.time()))

    def record(self, decision: Decision) -> None:
        """Queue why a request was answered as it was. Never blocks, never raises; the oldest are dropped when full."""
        self._decisions.add(decision, self._loop.time())

    async def drain(self, timeout: float) -> int:
        """Take no more intents, write what is queued, say goodbye. Returns how many rows were left unwritten.

        Decision records come last and are not among those. The second time it only tells.
        """
        self._draining = True
        if not self._tasks:
            return len(self._intents) + len(self._settlements)
        self._settlements.gather_seconds = 0
        try:
            async with asyncio.timeout(timeout):
                await self._intents.emptied()
                await self._settlements.emptied()
                await heartbeat.end(
                    self._settlement_connection, process_id=self.process_id, watermark_at=self._watermark()
                )
                await self._decisions.emptied()
        except (TimeoutError, ConnectionLost):
            log.warning("ledger_drain_incomplete", rows=len(self._settlements), decisions=len(self._decisions))
        left = len(self._intents) + len(self._settlements)
        await self._stop()
        return left

    def gauges(self) -> Gauges:
        return Gauges(
            intents_queued=len(self._intents),
            settlements_queued=len(self._settlements),
            oldest_intent_seconds=self._age(self._intents),
            oldest_settlement_seconds=self._age(self._settlements),
            open_intents=len(self._open),
            refused_rows=self._refused_rows,
            decisions_queued=len(self._decisions),
            oldest_decision_seconds=self._age(self._decisions),
            decisions_dropped=self._decisions.dropped,
        )

    async def _stop(self) -> None:
        # Hung up first: a command that is cancelled while it runs would wait for the server's consent.
        await self._close_connections()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._close_connections()

    async def _close_connections(self) -> None:
        await self._intent_connection.close()
        await self._settlement_connection.close()

    def _abandon(self, entry: Entry[Intent]) -> None:
        """Nobody will dispatch this intent. If it may be in the ledger, it is settled as not dispatched."""
        entry.abandoned = True
        if entry.sent:
            self.settle(not_dispatched(entry.row, error_code="ledger_unavailable"))
        else:
            self._open.pop((entry.row.request_id, entry.row.attempt), None)

    def _intent_written(self, entry: Entry[Intent]) -> None:
        if entry.durable is not None and not entry.durable.done():
            entry.durable.set_result(None)

    def _intent_refused(self, entry: Entry[Intent], error: RowRefused) -> None:
        entry.sent = False
        self._log_refused(entry.row, error)
        if entry.durable is not None and not entry.durable.done():
            entry.durable.set_exception(Unavailable("The request could not be recorded.", code="ledger_refused"))

    def _settlement_written(self, entry: Entry[Settlement]) -> None:
        intent = entry.row.intent
        self._open.pop((intent.request_id, intent.attempt), None)

    def _settlement_refused(self, entry: Entry[Settlement], error: RowRefused) -> None:
        """Once more in a storable form; after that the log holds the row, and the reaper settles its intent."""
        row = salvaged(entry.row)
        self._log_refused(entry.row, error)
        if row != entry.row:
            self._settlements.add(Entry(row, entry.queued_at))

    def _log_refused(self, row: Intent | Settlement, error: RowRefused) -> None:
        self._refused_rows += 1
        log.error("ledger_row_refused", error=repr(error.__cause__), row=ascii(msgspec.structs.asdict(row)))

    def _settlements_are_behind(self) -> bool:
        return self._age(self._settlements) > self._caps.decisions_wait

    def _age(self, queue: Spool[Intent] | Spool[Settlement] | Journal) -> float:
        oldest = queue.oldest_queued_at()
        return 0.0 if oldest is None else self._loop.time() - oldest

    def _watermark(self) -> datetime:
        return min(self._open.values(), default=self._clock.now())

    async def _beat_on(self) -> None:
        while True:
            await self._settlement_connection.ensure()
            try:
                await heartbeat.beat(
                    self._settlement_connection,
                    process_id=self.process_id,
                    kind=self._kind,
                    watermark_at=self._watermark(),
                )
            except (ConnectionLost, RowRefused):
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self._beaten_at = self._loop.time()
            await asyncio.sleep(heartbeat.INTERVAL_SECONDS)


async def kept_up(work: Callable[[], Awaitable[None]]) -> None:
    """Begins `work` again whatever ends it: a writer that died quietly would refuse every request from then on."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("ledger_task_failed", work=getattr(work, "__qualname__", repr(work)))
        await asyncio.sleep(PAUSE_SECONDS)


def expire(durable: "asyncio.Future[None]") -> None:
    if not durable.done():
        durable.set_exception(unavailable())


def unavailable() -> Unavailable:
    return Unavailable("Requests cannot be recorded at the moment.", code="ledger_unavailable", retry_after=1.0)
