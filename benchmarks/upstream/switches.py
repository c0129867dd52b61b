"""What holds for a whole server, whoever asks: set at start, changed while it runs.

- `--plan fault=status,status=503`, `POST /mock/plan {"fault": "slow", "seconds": 0.2}`: the server's own plan, which a
  request's model name and metadata overrule field by field; `POST /mock/plan {}` takes it back, `GET` shows it.
- `POST /mock/state {"model": "mock", "down_seconds": 60, "status": 503}`: for that long the model is down, whatever
  else was asked for: with a status, `retry` for Retry-After, or `"fault": "reset"`, or any other fault. Without
  `model` all are. 0 seconds ends it. `GET /mock/state` says who is down for how long, and how busy the server is.
- `--speed 2`: twice as fast: `pace` is halved, and `seconds` of delay and slow.
- `--most-at-once 8`: the ninth answer waits, as in front of an engine that is full. What is refused waits for nobody.
- `GET /mock/journal`: the newest requests and their ends, as journal.py describes them; `DELETE` forgets them.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from benchmarks.upstream.plans import Fault, Fields, Plan, plan_from, plan_of

EVERY_MODEL = "*"
FASTER_WITH_SPEED = ("delay", "slow")


class Outage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /mock/state`."""

    down_seconds: float
    model: str = EVERY_MODEL
    fault: Fault = "status"
    status: int = 503
    retry: str = ""


class Switches:
    """`plan` holds for requests that ask for nothing else; `most_at_once` 0 is no limit."""

    def __init__(self, *, plan: Fields, speed: float = 1.0, most_at_once: int = 0) -> None:
        self.plan = plan
        self._speed = speed
        self._places = asyncio.Semaphore(most_at_once) if most_at_once else None
        self._outages: dict[str, tuple[float, Outage]] = {}
        self._flapping_since: dict[str, float] = {}
        self.answering = 0
        self.waiting = 0
        self.most_seen_answering = 0

    def plan_of(self, body: dict[str, Any], *, attempt: int) -> Plan:
        """How to answer at this moment. Raises PlanRefused."""
        model = str(body.get("model", ""))
        plan = plan_of(body, attempt=attempt, server=self.plan)
        if outage := self._outage(model):
            return msgspec.structs.replace(plan, fault=outage.fault, status=outage.status, retry=outage.retry)
        if plan.fault == "flap":
            plan = self._flap(plan, model)
        return plan if self._speed == 1 else self._sped_up(plan)

    def set_plan(self, fields: Fields) -> None:
        """Raises PlanRefused."""
        plan_from(fields)
        self.plan = fields

    def set_state(self, body: bytes) -> None:
        """Raises msgspec.DecodeError."""
        outage = msgspec.json.decode(body, type=Outage)
        self._outages[outage.model] = (time.monotonic() + outage.down_seconds, outage)

    def state(self) -> dict[str, Any]:
        now = time.monotonic()
        down = {model: round(until - now, 3) for model, (until, _) in self._outages.items() if until > now}
        return {
            "down": down,
            "answering": self.answering,
            "waiting": self.waiting,
            "most_seen_answering": self.most_seen_answering,
        }

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Waits for its turn and keeps it."""
        if self._places is not None:
            self.waiting += 1
            try:
                await self._places.acquire()
            finally:
                self.waiting -= 1
        self.answering += 1
        self.most_seen_answering = max(self.most_seen_answering, self.answering)
        try:
            yield
        finally:
            self.answering -= 1
            if self._places is not None:
                self._places.release()

    def _outage(self, model: str) -> Outage | None:
        for name in (model, EVERY_MODEL) if self._outages else ():
            until, outage = self._outages.get(name, (0.0, None))
            if time.monotonic() < until:
                return outage
        return None

    def _flap(self, plan: Plan, model: str) -> Plan:
        since = self._flapping_since.setdefault(model, time.monotonic())
        failing = int((time.monotonic() - since) / plan.seconds) % 2 == 0
        return msgspec.structs.replace(plan, fault="status" if failing else "none")

    def _sped_up(self, plan: Plan) -> Plan:
        seconds = plan.seconds / self._speed if plan.fault in FASTER_WITH_SPEED else plan.seconds
        return msgspec.structs.replace(plan, pace=plan.pace / self._speed, seconds=seconds)
