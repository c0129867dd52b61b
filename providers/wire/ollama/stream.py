"""A streamed answer: one JSON object a line, the last of them `"done": true`.

Bytes may be cut anywhere, inside a character too; where they were cut changes nothing.
"""

import msgspec

from common.errors import UpstreamError, UpstreamGarbled
from providers.wire.neutral import (
    Ended,
    Event,
    Failed,
    Finished,
    Part,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.ollama.answer import Line, created_of, finish_of, logprobs_of, parts_of, read_line, usage_of

MAX_LINE_BYTES = 16 * 1024 * 1024


class OllamaStream:
    """One stream. No more than `limit` bytes of a line are kept; after a longer one, or an error, it is over."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._started = False
        self._over = False
        self._calls = 0

    def feed(self, received: bytes) -> list[Event]:
        if self._over:
            return []
        first, *others = received.split(b"\n")
        self._rest += first
        events: list[Event] = []
        for following in others:
            events += self._take()
            if self._over:
                return events
            self._rest += following
        return events + self._within_limit()

    def close(self) -> list[Event]:
        return [] if self._over else self._take()

    def _take(self) -> list[Event]:
        """The events of the line that is complete now."""
        if overlong := self._within_limit():
            return overlong
        line = bytes(self._rest).strip()
        self._rest.clear()
        if not line:
            return []
        try:
            return self._events(read_line(line))
        except UpstreamError as error:
            return self._broken(error)

    def _within_limit(self) -> list[Event]:
        if self._over or len(self._rest) <= self._limit:
            return []
        return self._broken(UpstreamGarbled(f"The provider sent a line of more than {self._limit} bytes."))

    def _broken(self, error: UpstreamError) -> list[Event]:
        self._over = True
        self._rest.clear()
        return [Failed(error=error)]

    def _events(self, line: Line) -> list[Event]:
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Started(model=line.model or "", created=created_of(line)))
        events += self._spoken(line)
        if line.done:
            self._over = True
            events.append(Finished(finish=finish_of(line, self._calls > 0)))
            if (usage := usage_of(line)) is not None:
                events.append(Used(usage=usage))
            events.append(Ended())
        return events

    def _spoken(self, line: Line) -> list[Event]:
        """Tokens of a thought are no content, so that their logprobs have no place."""
        parts = parts_of(line, self._calls)
        logprobs = None if any(isinstance(part, Thinking) for part in parts) else logprobs_of(line)
        events: list[Event] = []
        if logprobs is not None and not any(isinstance(part, Text) for part in parts):
            events.append(TextDelta(text="", logprobs=logprobs))
        for part in parts:
            events += self._of_part(part, logprobs)
        return events

    def _of_part(self, part: Part, logprobs: msgspec.Raw | None) -> list[Event]:
        match part:
            case Thinking():
                return [ThinkingDelta(text=part.text)]
            case Text():
                return [TextDelta(text=part.text, logprobs=logprobs)]
            case ToolCall():
                call = self._calls
                self._calls += 1
                started = ToolCallStarted(call=call, id=part.id, name=part.name)
                return [started, ToolCallDelta(call=call, arguments=part.arguments)]
            case _:
                return []
