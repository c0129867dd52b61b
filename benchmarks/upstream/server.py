"""The upstream as a server: paths, the journal around every answer, a clean end."""

import asyncio
import contextlib
import functools
import hashlib
import itertools
import signal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.upstream import openai_wire
from benchmarks.upstream.dialects import DIALECTS
from benchmarks.upstream.journal import Journal, Outcome
from benchmarks.upstream.plans import PlanRefused
from benchmarks.upstream.playing import JSON, Play
from benchmarks.upstream.request import Request, read_request
from benchmarks.upstream.switches import Switches
from benchmarks.upstream.wire import Answer, Incoming, Wire

BODY = msgspec.json.Decoder(dict[str, Any])
encode = msgspec.json.encode


class Upstream:
    """Answers any number of connections in one event loop."""

    def __init__(self, journal: Journal, switches: Switches) -> None:
        self._journal = journal
        self._switches = switches
        self._numbers = itertools.count(1)
        self._living: set[Wire] = set()

    def connection(self) -> Wire:
        return Wire(self.answer, self._living)

    async def stop(self) -> None:
        """Ends every answer under way, so that the journal has a last line for each."""
        tasks = [task for wire in list(self._living) if (task := wire.stop()) is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    def answer(self, wire: Wire, incoming: Incoming) -> Answer:
        """Whatever will answer. A completion is on record from here on, also if its client is gone before it starts."""
        dialect = DIALECTS.get(incoming.path, openai_wire)
        try:
            if incoming.method == "POST" and incoming.path in DIALECTS:
                request = self.read(incoming)
                self._journal.received(request)
                return partial(self.complete, Play(wire, dialect, request))
            return partial(say, wire, *self.control(incoming))
        except (PlanRefused, msgspec.DecodeError) as error:
            return partial(say, wire, 400, dialect.bad_request(str(error)))

    def control(self, incoming: Incoming) -> tuple[int, bytes]:
        """Status and body of everything that is no completion. Raises PlanRefused, msgspec.DecodeError."""
        switches = self._switches
        match incoming.method, incoming.path:
            case "GET", "/v1/models":
                return 200, openai_wire.models()
            case "GET", "/mock/journal":
                return 200, self._journal.shown()
            case "DELETE", "/mock/journal":
                self._journal.forget()
                return 200, b"{}"
            case ("GET" | "POST") as method, "/mock/plan":
                if method == "POST":
                    switches.set_plan(BODY.decode(incoming.body))
                return 200, encode(switches.plan)
            case ("GET" | "POST") as method, "/mock/state":
                if method == "POST":
                    switches.set_state(incoming.body)
                return 200, encode(switches.state())
            case _:
                return 404, openai_wire.error("no such path", kind="invalid_request_error", code="not_found")

    async def complete(self, play: Play) -> None:
        outcome: Outcome = "stopped"
        try:
            if play.refuses:
                outcome = await play.run()
            else:
                async with self._switches.place():
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
        return read_request(
            body,
            number=next(self._numbers),
            request_id=headers.get("x-request-id", ""),
            attempt=attempt,
            credential=digest(headers.get("x-api-key") or headers.get("authorization", "")),
            plan=self._switches.plan_of(body, attempt=attempt),
        )


@functools.lru_cache(maxsize=1000)
def digest(credential: str) -> str:
    """What tells two credentials apart in the journal, the same for a Bearer token and a plain key; "" for none."""
    secret = credential.removeprefix("Bearer ")
    return hashlib.sha256(secret.encode()).hexdigest()[:8] if secret else ""


async def say(wire: Wire, status: int, body: bytes) -> None:
    await wire.write(wire.head(status, JSON, length=len(body)) + body)


async def serve(*, host: str, port: int, log: Path | None, switches: Switches) -> None:
    """Serves until SIGTERM or SIGINT; prints the address once it listens (`port` 0: a free one)."""
    upstream = Upstream(Journal(log), switches)
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
