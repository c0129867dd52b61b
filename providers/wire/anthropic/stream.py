"""Streamed answers of the Messages API (platform.claude.com/docs/en/build-with-claude/streaming)."""

from collections.abc import Callable

import msgspec

from common.errors import UpstreamError, UpstreamGarbled
from providers.wire.anthropic.answer import (
    Block,
    Message,
    StopDetails,
    arguments_of,
    explanation_of,
    finish_of,
    spoken,
)
from providers.wire.anthropic.errors import error_in_answer
from providers.wire.anthropic.usage import ReportedUsage, Tally
from providers.wire.lenient import read_as
from providers.wire.neutral import (
    Ended,
    Event,
    Finished,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.shapes import Chunk
from providers.wire.sse import MAX_EVENT_BYTES, EventStream, NeutralStream

MOST_OPEN_CALLS = 1024


class Delta(msgspec.Struct, gc=False):
    """The `delta` of a content block or of the message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None


class Told(msgspec.Struct, gc=False):
    """Any event of a stream."""

    type: str = ""
    index: int = 0
    delta: Delta | None = None
    content_block: Block | None = None
    message: Message | None = None
    usage: ReportedUsage | None = None
    error: msgspec.Raw = msgspec.Raw()


TOLD = msgspec.json.Decoder(Told)
NOTHING = Delta()


class AnthropicStream(EventStream[Chunk]):
    """One stream, its events as they came. A vendor counts in its first event and in its last."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        super().__init__(limit)
        self._tally = Tally()
        self._finished = False

    def _garbled(self, raw: bytes, error: UpstreamGarbled) -> Chunk:
        return Chunk(raw=raw, error=error, finished=self._finished)

    def _read(self, raw: bytes, kind: bytes, payload: bytes) -> Chunk:
        if not payload.strip():
            return Chunk(raw=raw, finished=self._finished)
        try:
            told = read_as(TOLD, payload)
        except UpstreamGarbled as garbled:
            return self._garbled(raw, garbled)
        if told.type == "content_block_delta":
            return Chunk(raw, words_of(told.delta or NOTHING), finished=self._finished)
        if failure := failure_in(told, kind, payload):
            return Chunk(raw=raw, error=failure, finished=self._finished)
        return self._milestone(raw, told)

    def _milestone(self, raw: bytes, told: Told) -> Chunk:
        message, delta = told.message or Message(), told.delta or NOTHING
        reported = told.usage or message.usage
        if delta.stop_reason:
            self._finished = True
        return Chunk(
            raw=raw,
            text=spoken(told.content_block) if told.content_block else "",
            model=message.model,
            finish_reason=finish_of(delta.stop_reason) if delta.stop_reason else None,
            usage=None if reported is None else self._tally.add(reported),
            finished=self._finished,
            done=told.type == "message_stop",
        )


def words_of(delta: Delta) -> str:
    return delta.text or delta.thinking or delta.partial_json or ""


def failure_in(told: Told, kind: bytes, payload: bytes) -> UpstreamError | None:
    """Some servers write the error's own fields where Anthropic writes `{"type": "error", "error": …}`."""
    if failure := error_in_answer(told.error):
        return failure
    return error_in_answer(msgspec.Raw(payload)) if b"error" in (kind, told.type.encode()) else None


class OpenCall:
    """A call whose block has not stopped. `given` are the arguments it began with, some servers' only ones."""

    __slots__ = ("call", "given", "written")

    def __init__(self, call: int, given: str) -> None:
        self.call = call
        self.given = given
        self.written = False


class AnthropicEvents(NeutralStream):
    """One stream in no vendor's words."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        super().__init__(limit)
        self._tally = Tally()
        self._calls = 0
        self._open: dict[int, OpenCall] = {}
        self._readers: dict[str, Callable[[Told], list[Event]]] = {
            "message_start": self._started,
            "content_block_start": self._block,
            "content_block_delta": lambda told: self._words(told.index, told.delta or NOTHING),
            "content_block_stop": lambda told: self._stopped(told.index),
            "message_delta": self._finished,
            "message_stop": lambda _: [Ended()],
        }

    def _read(self, raw: bytes, kind: bytes, payload: bytes) -> list[Event]:
        if not payload.strip():
            return []
        try:
            told = read_as(TOLD, payload)
            if failure := failure_in(told, kind, payload):
                return self._failed(failure)
            reader = self._readers.get(told.type)
            return reader(told) if reader else []
        except UpstreamGarbled as garbled:
            return self._failed(garbled)

    def _started(self, told: Told) -> list[Event]:
        message = told.message or Message()
        events: list[Event] = [Started(id=message.id or "", model=message.model or "")]
        if message.usage is not None:
            events.append(Used(usage=self._tally.add(message.usage), final=False))
        return events

    def _block(self, told: Told) -> list[Event]:
        block = told.content_block or Block()
        match block.type:
            case "tool_use":
                return self._call(told.index, block)
            case "redacted_thinking":
                return [ThinkingRedacted(encoded=block.data or "")]
            case "text" | "thinking":
                delta = Delta(text=block.text, thinking=block.thinking, signature=block.signature)
                return self._words(told.index, delta)
            case _:
                return []

    def _call(self, index: int, block: Block) -> list[Event]:
        if len(self._open) >= MOST_OPEN_CALLS:
            raise UpstreamGarbled(f"The provider began more than {MOST_OPEN_CALLS} calls at once.")
        unfinished = self._stopped(index)
        self._open[index] = OpenCall(self._calls, arguments_of(block.input))
        self._calls += 1
        return [*unfinished, ToolCallStarted(call=self._calls - 1, id=block.id or "", name=block.name or "")]

    def _words(self, index: int, delta: Delta) -> list[Event]:
        if delta.text:
            return [TextDelta(text=delta.text)]
        if delta.thinking or delta.signature:
            return [ThinkingDelta(text=delta.thinking or "", signature=delta.signature or "")]
        if delta.partial_json and (opened := self._open.get(index)):
            opened.written = True
            return [ToolCallDelta(call=opened.call, arguments=delta.partial_json)]
        return []

    def _stopped(self, index: int) -> list[Event]:
        opened = self._open.pop(index, None)
        if opened is None or opened.written:
            return []
        return [ToolCallDelta(call=opened.call, arguments=opened.given)]

    def _finished(self, told: Told) -> list[Event]:
        delta = told.delta or NOTHING
        events: list[Event] = []
        if delta.stop_reason:
            for index in list(self._open):
                events += self._stopped(index)
            if explanation := explanation_of(delta.stop_details):
                events.append(RefusalDelta(text=explanation))
            events.append(Finished(finish=finish_of(delta.stop_reason), stop_sequence=delta.stop_sequence or ""))
        if told.usage is not None:
            events.append(Used(usage=self._tally.add(told.usage)))
        return events
