"""Server-sent events of a streamed completion (html.spec.whatwg.org/multipage/server-sent-events.html).

Bytes may be cut anywhere, inside a character and inside CRLF too; where they were cut changes nothing.
"""

import re

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.openai.errors import error_in_answer
from providers.wire.openai.response import NO_REASON, Answer, finish_reason_of, read_answer, text_of, usage_of
from providers.wire.shapes import Chunk

MAX_EVENT_BYTES = 16 * 1024 * 1024
SEPARATOR = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
LONGEST_SEPARATOR = 4
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DONE = b"[DONE]"


class OpenAIStream:
    """One stream. `choices` is how many answers the request asked for."""

    def __init__(self, choices: int = 1, limit: int = MAX_EVENT_BYTES) -> None:
        self._choices = choices
        self._limit = limit
        self._rest = bytearray()
        self._ended: set[int] = set()
        self._broken = False

    def feed(self, data: bytes) -> list[Chunk]:
        """The events that `data` completes. After an oversized event the stream is over."""
        if self._broken or not data:
            return []
        if not self._rest:
            return self._split(data, final=False)
        searched = max(len(self._rest) - LONGEST_SEPARATOR + 1, 0)
        self._rest += data
        if SEPARATOR.search(self._rest, searched) is None:
            return self._within_limit([])
        return self._split(self._take_rest(), final=False)

    def close(self) -> list[Chunk]:
        if self._broken or not self._rest:
            return []
        chunks = self._split(self._take_rest(), final=True)
        if self._rest:
            chunks.append(self._read(self._take_rest()))
        return chunks

    def _take_rest(self) -> bytes:
        taken = bytes(self._rest)
        self._rest.clear()
        return taken

    def _split(self, received: bytes, final: bool) -> list[Chunk]:
        chunks: list[Chunk] = []
        start, simple = 0, b"\r" not in received
        while not self._broken:
            end = received.find(b"\n\n", start) + 2 if simple else event_end(received, start, final)
            if end < 2:
                break
            chunks.append(self._read(received[start:end], simple))
            start = end
        self._rest += received[start:]
        return self._within_limit(chunks)

    def _within_limit(self, chunks: list[Chunk]) -> list[Chunk]:
        if not self._broken and len(self._rest) > self._limit:
            chunks.append(self._oversized(bytes(self._rest)))
        return chunks

    def _oversized(self, raw: bytes) -> Chunk:
        self._broken = True
        self._rest.clear()
        return Chunk(raw=raw, error=UpstreamGarbled(f"The provider sent an event of more than {self._limit} bytes."))

    def _read(self, raw: bytes, simple: bool = False) -> Chunk:
        if len(raw) > self._limit:
            return self._oversized(raw)
        kind = b""
        if simple and raw.startswith(b"data:") and raw.find(b"\n") == len(raw) - 2:
            payload = raw[5:-2]
        else:
            kind, payload = event_fields(raw)
        if len(payload) < 32:
            word = payload.strip()
            if word == DONE:
                return Chunk(raw=raw, done=True, finished=bool(self._ended))
            if not word:
                return Chunk(raw=raw, finished=self._finished)
        try:
            return self._chunk(raw, read_answer(payload), payload if kind == b"error" else b"")
        except UpstreamGarbled as garbled:
            return Chunk(raw=raw, error=garbled, finished=self._finished)

    def _chunk(self, raw: bytes, answer: Answer, failure: bytes) -> Chunk:
        choices = answer.choices
        if not choices:
            return self._chunk_without_choices(raw, answer, failure)
        reason = finish_reason_of(choices)
        if reason is not None:
            self._ended.update(choice.index for choice in choices if choice.finish_reason not in NO_REASON)
        return Chunk(
            raw,
            text_of(choices),
            answer.model,
            reason,
            None if answer.usage is None else usage_of(answer.usage),
            error_in_answer(answer.error) if answer.error else None,
            self._finished,
        )

    def _chunk_without_choices(self, raw: bytes, answer: Answer, failure: bytes) -> Chunk:
        error = error_in_answer(answer.error) or (error_in_answer(msgspec.Raw(failure)) if failure else None)
        usage = None if answer.usage is None else usage_of(answer.usage)
        return Chunk(
            raw=raw,
            model=answer.model,
            usage=usage,
            error=error,
            finished=self._finished,
            usage_only=usage is not None and error is None,
        )

    @property
    def _finished(self) -> bool:
        return len(self._ended) >= self._choices


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
