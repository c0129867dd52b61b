"""A stream of an API of its own: server-sent events, or a JSON object a line.

Bytes may be cut anywhere; where they were cut changes nothing.
"""

from typing import Any, Final

import msgspec

from common.errors import UpstreamError, UpstreamGarbled
from providers.wire.custom.completion import completion_of
from providers.wire.custom.expressions import EvaluationFailed, Expression
from providers.wire.neutral import Ended, Event, Failed
from providers.wire.openai.events import Reading

MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
# An event is small, and there are many.
EVENT_WORK: Final = 20_000
DONE: Final = b"[DONE]"


class CustomStream:
    """`events` makes of each object what `completion.py` describes; nothing, of one that says nothing."""

    def __init__(self, events: Expression, limit: int = MAX_EVENT_BYTES) -> None:
        self._expression = events
        self._reading = Reading()
        self._limit = limit
        self._rest = bytearray()
        # The `data` lines of an event that goes on.
        self._lines: list[bytes] = []
        self._held = 0
        self._over = False

    def feed(self, received: bytes) -> list[Event]:
        if self._over:
            return []
        first, *others = received.split(b"\n")
        self._rest += first
        found: list[Event] = []
        for following in others:
            found += self._line(self._take())
            if self._over:
                return found
            self._rest += following
        return found + self._within_limit()

    def close(self) -> list[Event]:
        if self._over:
            return []
        found = self._line(self._take())
        return found if self._over else found + self._line(b"")

    def _take(self) -> bytes:
        taken = bytes(self._rest)
        self._rest.clear()
        return taken.removesuffix(b"\r")

    def _line(self, line: bytes) -> list[Event]:
        """The events that a line completes: a blank one ends what `data` lines began, an object is one by itself."""
        if not line.strip():
            payload, self._lines, self._held = b"\n".join(self._lines), [], 0
            return self._read(payload)
        if line.startswith(b"data:"):
            payload = line[5:].removeprefix(b" ")
            self._lines.append(payload)
            self._held += len(payload) + 1
            return self._within_limit()
        if line.lstrip()[:1] in (b"{", b"["):
            return self._within_limit(len(line)) or self._read(line)
        return []

    def _within_limit(self, more: int = 0) -> list[Event]:
        if self._held + len(self._rest) + more <= self._limit:
            return []
        return self._failed(UpstreamGarbled(f"The provider sent an event of more than {self._limit} bytes."))

    def _failed(self, error: UpstreamError) -> list[Event]:
        self._over = True
        self._rest.clear()
        self._lines.clear()
        return [Failed(error=error)]

    def _read(self, payload: bytes) -> list[Event]:
        word = payload.strip()
        if not word:
            return []
        if word == DONE:
            self._over = True
            return [Ended()]
        try:
            return self._events(self._expression.apply(msgspec.json.decode(payload), EVENT_WORK))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._failed(UpstreamGarbled("The provider sent something that is not JSON."))
        except EvaluationFailed as failure:
            return self._failed(UpstreamGarbled(f"The template's stream_response does not fit an event: {failure}."))

    def _events(self, said: Any) -> list[Event]:
        if said is None:
            return []
        if not isinstance(said, dict):
            return self._failed(UpstreamGarbled("The template's stream_response makes no object of an event."))
        found = list(self._reading.read(completion_of(said, "delta"), b""))
        if found and isinstance(found[-1], Failed):
            self._over = True
        elif said.get("done") is True:
            self._over = True
            found.append(Ended())
        return found
