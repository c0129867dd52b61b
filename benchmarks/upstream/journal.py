"""The upstream's own record of what it was asked and what it gave: in a file, JSON lines, each written at once.

The newest `KEPT` requests are also kept for `GET /mock/journal`. Two lines a request, joined by `number` (the second is
missing where the client was gone before the answer began):
  {"event": "received", "number", "at", "request_id", "attempt", "model", "stream", "fault",
   "input_tokens", "output_tokens", "cached_tokens", "chunks", "credential", "prefilled"}
  {"event": "ended", "number", "at", "request_id", "attempt", "outcome", "status", "chunks_sent", "usage_sent"}

`outcome`: `completed` (the whole answer was handed to the socket), `refused` (an error status),
`faulted` (broken off on purpose), `client_gone`, `stopped` (the upstream itself was stopped).
Tokens and chunks received are those of the whole answer. `at` is Unix time in seconds. `credential` tells credentials
apart and gives none away: eight hexadecimal digits of its SHA-256, "" for none. `prefilled` is how many characters of
the answer the caller sent along, None for no prefill.
"""

import os
import time
from collections import deque
from pathlib import Path
from typing import Literal

import msgspec

from benchmarks.upstream.request import Request

KEPT = 10_000
Outcome = Literal["completed", "refused", "faulted", "client_gone", "stopped"]


class Received(msgspec.Struct, frozen=True, tag_field="event", tag="received"):
    number: int
    at: float
    request_id: str
    attempt: int
    model: str
    stream: bool
    fault: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    chunks: int
    credential: str = ""
    prefilled: int | None = None


class Ended(msgspec.Struct, frozen=True, tag_field="event", tag="ended"):
    number: int
    at: float
    request_id: str
    attempt: int
    outcome: Outcome
    status: int
    chunks_sent: int
    usage_sent: bool


class Kept(msgspec.Struct):
    """A request as `GET /mock/journal` tells of it; `ended` is None while it is under way."""

    received: Received
    ended: Ended | None = None


class Journal:
    """Appends lines with one unbuffered write each: a line that was written survives a kill."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._kept: deque[Kept] = deque(maxlen=KEPT)
        self._under_way: dict[int, Kept] = {}

    def shown(self) -> bytes:
        return msgspec.json.encode({"requests": list(self._kept)})

    def forget(self) -> None:
        """Begins the kept ones anew; the file stays."""
        self._kept.clear()

    def received(self, request: Request) -> None:
        plan = request.plan
        kept = Kept(
            Received(
                number=request.number,
                at=time.time(),
                request_id=request.request_id,
                attempt=request.attempt,
                model=request.model,
                stream=request.stream,
                fault=plan.fault,
                input_tokens=request.input_tokens,
                output_tokens=request.output_tokens,
                cached_tokens=plan.cached,
                chunks=len(request.texts),
                credential=request.credential,
                prefilled=None if request.prefilled is None else len(request.prefilled),
            )
        )
        self._kept.append(kept)
        self._under_way[request.number] = kept
        self._write(kept.received)

    def ended(self, request: Request, *, outcome: Outcome, status: int, chunks_sent: int, usage_sent: bool) -> None:
        line = Ended(
            number=request.number,
            at=time.time(),
            request_id=request.request_id,
            attempt=request.attempt,
            outcome=outcome,
            status=status,
            chunks_sent=chunks_sent,
            usage_sent=usage_sent,
        )
        self._under_way.pop(request.number).ended = line
        self._write(line)

    def _write(self, line: Received | Ended) -> None:
        if self._file is not None:
            os.write(self._file, msgspec.json.encode(line) + b"\n")


def read_journal(path: Path) -> tuple[list[Received], dict[int, Ended]]:
    """Every request received, and by number how it ended; one without an end is still running."""
    received: list[Received] = []
    ended: dict[int, Ended] = {}
    decoder = msgspec.json.Decoder(Received | Ended)
    for text in path.read_bytes().splitlines():
        line = decoder.decode(text)
        if isinstance(line, Received):
            received.append(line)
        else:
            ended[line.number] = line
    return received, ended
