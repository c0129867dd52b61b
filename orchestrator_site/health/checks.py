"""The parts that the process needs, asked one by one, each within a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from common.errors import OrchestratorError

log = structlog.get_logger(__name__)

DEADLINE_SECONDS: Final = 2.0
KEPT_SECONDS: Final = 0.5

Check = Callable[[], Awaitable[None]]


class NotYet(Exception):
    """A part works but is not ready; the message says why, to anyone."""


@dataclass(frozen=True, slots=True)
class Part:
    """`reason` is empty for a part that works; it never holds an address or a driver's message."""

    name: str
    reason: str
    milliseconds: float

    @property
    def works(self) -> bool:
        return not self.reason


class Checkup:
    """Asks all parts at once. Callers at the same moment share one round, whose answer is kept half a second."""

    def __init__(self, checks: Mapping[str, Check], *, deadline: float = DEADLINE_SECONDS) -> None:
        self._checks = checks
        self._deadline = deadline
        self._round: asyncio.Task[tuple[Part, ...]] | None = None
        self._known: tuple[Part, ...] = ()
        self._known_until = 0.0

    async def parts(self) -> tuple[Part, ...]:
        if time.monotonic() < self._known_until:
            return self._known
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._round)

    async def _ask_all(self) -> tuple[Part, ...]:
        self._known = tuple(await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items())))
        self._known_until = time.monotonic() + KEPT_SECONDS
        return self._known

    async def _ask(self, name: str, check: Check) -> Part:
        began = time.perf_counter()
        reason = ""
        try:
            async with asyncio.timeout(self._deadline):
                await check()
        except TimeoutError:
            reason = f"no answer within {self._deadline:g} s"
        except NotYet as error:
            reason = str(error)
        except OrchestratorError as error:
            reason = error.code
        except Exception as error:
            reason = "does not answer"
            log.warning("health_check_failed", part=name, error=type(error).__name__)
        return Part(name, reason, round((time.perf_counter() - began) * 1000, 1))
