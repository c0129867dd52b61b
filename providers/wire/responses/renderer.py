"""An answer as the Responses API tells it, event by event or whole; the whole is what the events add up to.

(platform.openai.com/docs/api-reference/responses-streaming)
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.assembly import events_of, words_of
from providers.wire.neutral import (
    Answer,
    Ended,
    Event,
    Failed,
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
from providers.wire.responses.faults import error_event
from providers.wire.responses.logprobs import logprobs_of
from providers.wire.responses.output import Fields, Output
from providers.wire.responses.render import ResponseObject, cut_by
from providers.wire.shapes import ChatRequest, Usage

ENCODE: Final = msgspec.json.Encoder().encode
MOST_HELD: Final = 16 * 1024 * 1024


class Telling:
    """The events of one response, without numbers. Of several choices it tells the first."""

    def __init__(self, request: ChatRequest) -> None:
        self._response = ResponseObject(request)
        self._output = Output(self._response.stem)
        self._started = Started()
        self._usage: Usage | None = None
        self._finished: Finished | None = None
        self._refused = False
        self._begun = False
        self.over = False
        self.ended: Fields = {}

    @property
    def finished(self) -> bool:
        return self._finished is not None

    def tell(self, event: Event) -> Iterator[Fields]:
        if self.over or getattr(event, "choice", 0) != 0:
            return
        match event:
            case Started():
                self._started = event
            case Used():
                self._usage = event.usage
            case Finished():
                self._finished = event
            case Failed():
                self.over = True
            case Ended():
                yield from self.end()
            case _:
                yield from self._begin()
                yield from self._add(event)

    def end(self) -> Iterator[Fields]:
        if self.over:
            return
        self.over = True
        yield from self._begin()
        cut = cut_by(self._finished.finish, refused=self._refused) if self._finished else ""
        yield from self._output.finish("incomplete" if cut else "completed")
        self.ended = self._response.ended(self._output.items(), cut, self._usage)
        yield {"type": "response.incomplete" if cut else "response.completed", "response": self.ended}

    def _begin(self) -> Iterator[Fields]:
        if not self._begun:
            self._begun = True
            self._response.begin(self._started.model, self._started.created)
            begun = self._response.begun()
            yield {"type": "response.created", "response": begun}
            yield {"type": "response.in_progress", "response": begun}

    def _add(self, event: Event) -> Iterator[Fields]:
        match event:
            case TextDelta():
                yield from self._output.say("output_text", event.text, logprobs_of(event.logprobs))
            case RefusalDelta():
                self._refused = True
                yield from self._output.say("refusal", event.text, [])
            case ThinkingDelta():
                yield from self._output.think(event.text, event.signature)
            case ThinkingRedacted():
                yield from self._output.redact(event.encoded)
            case ToolCallStarted():
                yield from self._output.call(event)
            case ToolCallDelta():
                yield from self._output.argue(event.call, event.arguments)


class ResponsesRenderer:
    """Implements `providers.wire.ports.Renderer`. `limit`: characters of what was said, which is all said again at
    the end."""

    def __init__(self, request: ChatRequest, limit: int = MOST_HELD) -> None:
        self._telling = Telling(request)
        self._left = limit
        self._number = 0

    def render(self, events: list[Event]) -> bytes:
        return b"".join([self._rendered(event) for event in events])

    def end(self) -> bytes:
        return self._written(self._telling.end()) if self._telling.finished else b""

    def _rendered(self, event: Event) -> bytes:
        if self._telling.over:
            return b""
        self._left -= len(words_of(event))
        if self._left < 0:
            self._telling.over = True
            return error_event(UpstreamGarbled("The provider's answer is too long."), self._number)
        return self._written(self._telling.tell(event))

    def _written(self, told: Iterable[Fields]) -> bytes:
        written = []
        for fields in told:
            fields["sequence_number"] = self._number
            self._number += 1
            written.append(b"event: %b\ndata: %b\n\n" % (fields["type"].encode(), ENCODE(fields)))
        return b"".join(written)


def render_answer(answer: Answer, request: ChatRequest) -> bytes:
    telling = Telling(request)
    for event in events_of(answer):
        for _ in telling.tell(event):
            pass
    return ENCODE(telling.ended)
