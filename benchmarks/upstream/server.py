"""The upstream as a server: routes, the journal around every answer, a clean end."""

import asyncio
import contextlib
import itertools
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.upstream import answers
from benchmarks.upstream.answers import Request, read_request
from benchmarks.upstream.journal import Journal, Outcome
from benchmarks.upstream.plans import Plan, PlanRefused, plan_of
from benchmarks.upstream.playing import JSON, Play
from benchmarks.upstream.wire import Answer, Incoming, Wire

BODY = msgspec.json.Decoder(dict[str, Any])


class Upstream:
    """Answers any number of connections in one event loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._numbers = itertools.count(1)
        self._flapping_since: dict[str, float] = {}
        self._living: set[Wire] = set()

    def connection(self) -> Wire:
        return Wire(self.answer, self._living)

    async def stop(self) -> None:
        """Ends every answer under way, so that the journal has a last line for each."""
        tasks = [task for wire in list(self._living) if (task := wire.stop()) is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    def answer(self, wire: Wire, incoming: Incoming) -> Answer:
        """Whatever will answer. A completion is on record from here on, also if its client is gone before it starts."""
        match incoming.method, incoming.path:
            case "POST", "/v1/chat/completions":
                try:
                    request = self.read(incoming)
                except (PlanRefused, msgspec.DecodeError) as error:
                    body = answers.error(str(error), kind="invalid_request_error", code="bad_request")
                    return partial(say, wire, 400, body)
                self._journal.received(request)
                return partial(self.complete, Play(wire, request))
            case "GET", "/v1/models":
                return partial(say, wire, 200, answers.models())
            case _:
                body = answers.error("no such path", kind="invalid_request_error", code="not_found")
                return partial(say, wire, 404, body)

    async def complete(self, play: Play) -> None:
        outcome: Outcome = "stopped"
        try:
            outcome = await play.run()
        except asyncio.CancelledError:
            outcome = "client_gone" if play.wire.gone else "stopped"
            raise
        finally:
            self._journal.ended(
                play.request,
                outcome=outcome,
                status=play.status,
                chunks_sent=play.chunks_sent,
                usage_sent=play.usage_sent,
            )

    def read(self, incoming: Incoming) -> Request:
        """Raises PlanRefused, msgspec.DecodeError."""
        body = BODY.decode(incoming.body)
        headers = incoming.headers
        attempt = int(headers.get("x-orchestrator-attempt") or headers.get("x-attempt") or 1)
        plan = plan_of(body, attempt=attempt)
        if plan.fault == "flap":
            plan = self.flap(plan, str(body["model"]))
        number, request_id = next(self._numbers), headers.get("x-request-id", "")
        return read_request(body, number=number, request_id=request_id, attempt=attempt, plan=plan)

    def flap(self, plan: Plan, model: str) -> Plan:
        """The plan of a flapping model at this moment."""
        since = self._flapping_since.setdefault(model, time.monotonic())
        failing = int((time.monotonic() - since) / plan.seconds) % 2 == 0
        return msgspec.structs.replace(plan, fault="status" if failing else "none")


async def say(wire: Wire, status: int, body: bytes) -> None:
    await wire.write(wire.head(status, JSON, length=len(body)) + body)


async def serve(*, host: str, port: int, log: Path | None) -> None:
    """Serves until SIGTERM or SIGINT; prints the address once it listens (`port` 0: a free one)."""
    upstream = Upstream(Journal(log))
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(upstream.connection, host, port, backlog=1024)
    print(f"http://{host}:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()
    server.close()
    await upstream.stop()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 1)
