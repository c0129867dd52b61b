"""Everything that the gateway works with, in one bundle: made at wiring time, opened and closed with the process."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final, Protocol
from uuid import UUID

import structlog

from billing.ledger.writer import LedgerWriter
from billing.limits.admission import Admission
from billing.limits.credentials import CredentialLimits
from common.clock import Clock
from common.errors import OrchestratorError
from common.redis import RedisConnection
from gateway import metrics
from gateway.bodies import Bodies
from gateway.cache.exact import AnswerCache, ExactCache
from gateway.cache.keeping import Keeping
from gateway.cache.local import LocalAnswers
from gateway.cache.question import Questions
from gateway.cache.shelf import Shelf
from gateway.cache.taps import Taps
from gateway.completion_log import WriteLine, through_structlog
from gateway.configs import Configs
from gateway.counting import TokenCounter
from gateway.failover.budgets import Budget
from gateway.failover.shadow import Shadows
from gateway.keys import VerifiedKeys
from gateway.load.places import Places
from gateway.once import SECONDS_BETWEEN_RENEWALS, Once
from gateway.ports import ConfigSource, IdempotencyStore, ResponseStore
from gateway.routing.auto.classifier import Router, trained
from gateway.routing.strategies import Choosing
from gateway.running import Running
from gateway.targets.board import Board
from providers.client import UpstreamClient

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_POLLS: Final = 0.5
SECONDS_BETWEEN_FLUSHES: Final = 60.0
SECONDS_TO_COUNT: Final = 5.0


class KeyUse(Protocol):
    """Notes when keys were used; `flush` writes it down."""

    def note(self, key_id: UUID, at: datetime) -> None: ...

    async def flush(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Seconds unless a name says otherwise."""

    pepper: str = field(repr=False)
    requests_per_minute: int = 600
    request_timeout: float = 600.0
    stream_timeout: float = 1800.0
    most_at_once: int = 1000
    key_lookups_at_once: int = 5
    most_body_bytes: int = 32 * 1024 * 1024
    body_timeout: float = 30.0
    most_bytes_of_bodies: int = 128 * 1024 * 1024
    shutdown: float = 30.0

    def seconds_for(self, *, stream: bool) -> float:
        """The longest that a completion may take."""
        return self.stream_timeout if stream else self.request_timeout


class Services:
    """The gateway's parts. `async with services:` opens and closes them in order."""

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        source: ConfigSource,
        redis: RedisConnection,
        ledger: LedgerWriter,
        upstream: UpstreamClient,
        key_use: KeyUse,
        clock: Clock,
        responses: ResponseStore,
        idempotency: IdempotencyStore,
        completion_log: WriteLine = through_structlog,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.redis = redis
        self.ledger = ledger
        self.upstream = upstream
        self.key_use = key_use
        self.responses = responses
        self.once = Once(idempotency, at_once=settings.key_lookups_at_once)
        self.write_line = completion_log
        self.admission = Admission(redis)
        self.configs = Configs(source, self.admission, clock, lookups_at_once=settings.key_lookups_at_once)
        self.verified = VerifiedKeys(settings.pepper)
        self.counter = TokenCounter()
        self.running = Running(settings.most_at_once)
        self.board = Board(clock, redis, process=str(ledger.process_id))
        self.random = Random()  # noqa: S311 - it keeps no secrets
        self.choosing = Choosing(self.board, self.random)
        self.retries = Budget()
        self.hedges = Budget()
        self.router: Router = trained()
        self.shadows = Shadows(self)
        self.places = Places()
        self.questions = Questions()
        self.taps = Taps()
        self.cache: AnswerCache = ExactCache(Shelf(redis), LocalAnswers())
        self.keeping = Keeping(self.cache, clock)
        self.credential_limits = CredentialLimits(redis)
        self.bodies = Bodies(
            most_in_pieces=settings.most_at_once // 4,
            # A tenant's half has room for the largest body.
            most_bytes=max(settings.most_bytes_of_bodies, 2 * settings.most_body_bytes),
        )
        self._chores: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Never fails because a neighbour is away: requests are refused until it is there."""
        await asyncio.gather(self.redis.open(), self.upstream.open(), self.ledger.start())
        with contextlib.suppress(OrchestratorError):
            await self.configs.platform()
        self._chores = [
            asyncio.create_task(repeat(self.configs.poll, SECONDS_BETWEEN_POLLS), name="config poll"),
            asyncio.create_task(repeat(self.key_use.flush, SECONDS_BETWEEN_FLUSHES), name="key use"),
            asyncio.create_task(repeat(self.board.share, SECONDS_BETWEEN_POLLS), name="board"),
            asyncio.create_task(repeat(self.once.renew, SECONDS_BETWEEN_RENEWALS), name="idempotency"),
            asyncio.create_task(repeat(self.show_gauges, SECONDS_BETWEEN_POLLS), name="gauges"),
        ]

    async def close(self) -> None:
        """Lets running answers finish, then writes down everything that is still in memory."""
        await self.running.finished(self.settings.shutdown)
        await self.once.drain(SECONDS_TO_COUNT)
        await self.shadows.close()
        await self.keeping.drain(SECONDS_TO_COUNT)
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self.counter.drain(SECONDS_TO_COUNT)
        left = await self.ledger.drain(self.settings.shutdown)
        if left:
            log.error("ledger_rows_left", rows=left)
        with contextlib.suppress(OrchestratorError, asyncio.TimeoutError):
            await self.key_use.flush()
        await self.board.leave()
        await self.upstream.close()
        await self.redis.close()

    async def __aenter__(self) -> "Services":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def show_gauges(self) -> None:
        metrics.show_ledger(self.ledger.gauges())
        metrics.show_circuits(self.board.troubles())


async def repeat(work: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Again and again; a failure is logged when it begins, and the work goes on."""
    failing = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
            failing = False
        except Exception as error:
            if not failing:
                log.warning("chore_failing", work=getattr(work, "__qualname__", repr(work)), error=repr(error))
            failing = True
