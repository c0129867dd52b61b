"""Server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html), as every vendor but one streams.

Bytes may be cut anywhere, inside a character and inside CRLF too; where they were cut changes nothing.
"""

import re
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from common.errors import OrchestratorError, UpstreamGarbled
from providers.wire.neutral import Event, Failed

MAX_EVENT_BYTES = 16 * 1024 * 1024
SEPARATOR = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
LONGEST_SEPARATOR = 4
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Read = TypeVar("Read")


class EventStream(ABC, Generic[Read]):
    """Splits what comes in into events and gives what `_read` makes of each. One instance per stream.

    No more than `limit` bytes of an event are kept; after a longer one the stream is over.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._broken = False

    @abstractmethod
    def _read(self, raw: bytes, kind: bytes, payload: bytes) -> Read:
        """One event: its bytes with the separator, its `event` (empty for none) and its `data`. Must not raise."""

    @abstractmethod
    def _garbled(self, raw: bytes, error: UpstreamGarbled) -> Read:
        """Stands for bytes that are no event; nothing follows."""

    def feed(self, data: bytes) -> list[Read]:
        """The events that `data` completes."""
        if self._broken or not data:
            return []
        if not self._rest:
            return self._split(data, final=False)
        searched = max(len(self._rest) - LONGEST_SEPARATOR + 1, 0)
        self._rest += data
        if SEPARATOR.search(self._rest, searched) is None:
            return self._within_limit([])
        return self._split(self._take_rest(), final=False)

    def close(self) -> list[Read]:
        if self._broken or not self._rest:
            return []
        found = self._split(self._take_rest(), final=True)
        if self._rest and not self._broken:
            found.append(self._event(self._take_rest()))
        return found

    def _take_rest(self) -> bytes:
        taken = bytes(self._rest)
        self._rest.clear()
        return taken

    def _split(self, received: bytes, final: bool) -> list[Read]:
        found: list[Read] = []
        start, limit, ending = 0, self._limit, line_ending(received)
        blank, width, least = ending * 2, len(ending) * 2, len(ending) * 2 or 1
        while not self._broken:
            end = received.find(blank, start) + width if ending else event_end(received, start, final)
            if end < least:
                break
            raw = received[start:end]
            if ending and raw.startswith(b"data:") and raw.find(ending) == end - start - width and end - start <= limit:
                # Without a call of its own: the usual event, somewhat sooner.
                found.append(self._read(raw, b"", raw[5:-width]))
            else:
                found.append(self._event(raw))
            start = end
        if start == len(received):
            return found
        self._rest += received[start:]
        return self._within_limit(found)

    def _event(self, raw: bytes) -> Read:
        if len(raw) > self._limit:
            return self._oversized(raw)
        kind, payload = event_fields(raw)
        return self._read(raw, kind, payload)

    def _within_limit(self, found: list[Read]) -> list[Read]:
        if not self._broken and len(self._rest) > self._limit:
            found.append(self._oversized(bytes(self._rest)))
        return found

    def _oversized(self, raw: bytes) -> Read:
        self._broken = True
        self._rest.clear()
        return self._garbled(raw, UpstreamGarbled(f"The provider sent an event of more than {self._limit} bytes."))


class NeutralStream(EventStream[list[Event]]):
    """Server-sent events each of which says any number of neutral events. `ports.EventParser` is `Flat` of it."""

    def _garbled(self, raw: bytes, error: UpstreamGarbled) -> list[Event]:
        return self._failed(error)

    def _failed(self, error: OrchestratorError) -> list[Event]:
        """The last that is told of the stream."""
        self._broken = True
        return [Failed(error=error)]


class Flat:
    """A `ports.EventParser` over a stream whose every event says several."""

    def __init__(self, stream: EventStream[list[Event]]) -> None:
        self._stream = stream

    def feed(self, received: bytes) -> list[Event]:
        return [event for events in self._stream.feed(received) for event in events]

    def close(self) -> list[Event]:
        return [event for events in self._stream.close() for event in events]


def line_ending(received: bytes) -> bytes:
    """What ends every line of it; empty where not all end alike, or one is cut in its CRLF."""
    if b"\r" not in received:
        return b"\n"
    returns = received.count(b"\r")
    return b"\r\n" if returns == received.count(b"\n") == received.count(b"\r\n") else b""


def event_end(received: bytes, start: int, final: bool) -> int:
    """Where the event that begins at `start` ends, separator included; 0 if that cannot be told yet."""
    found = SEPARATOR.search(received, start)
    if found is None:
        return 0
    undecided = found.end() == len(received) and received.endswith(b"\r") and not final
    return 0 if undecided else found.end()


def event_fields(raw: bytes) -> tuple[bytes, bytes]:
    """The `event` and the `data` of an event, several data lines joined by newlines."""
    kind = b""
    lines: list[bytes] = []
    for line in raw.removeprefix(BYTE_ORDER_MARK).splitlines():
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            lines.append(value)
        elif name == b"event":
            kind = value
    return kind, b"\n".join(lines)
