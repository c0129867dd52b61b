"""What chat completions and legacy completions have around their choices, whole and streamed."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from providers.wire.neutral import Answer, Ended, Event, Started, Used
from providers.wire.openai.words import answer_id, created_at, usage_object
from providers.wire.shapes import ChatRequest, Usage

ENCODE = msgspec.json.Encoder().encode
DONE = b"data: [DONE]\n\n"


class Frame(msgspec.Struct, frozen=True):
    """`prefix` is what ids begin with, `whole` and `chunk` are the `object` of an answer and of a stream's events."""

    prefix: str
    whole: str
    chunk: str

    def answer(self, answer: Answer, request: ChatRequest, choices: list[dict[str, object]]) -> bytes:
        fields = head(self.prefix, self.whole, answer, request) | {"choices": choices}
        if answer.usage is not None:
            fields["usage"] = usage_object(answer.usage)
        return ENCODE(fields)


def head(prefix: str, kind: str, told: Answer | Started, request: ChatRequest) -> dict[str, object]:
    return {
        "id": answer_id(prefix, told.id),
        "object": kind,
        "created": created_at(told.created),
        "model": told.model or request.model,
    }


class Chunks:
    """One stream. `_writers` is given by who knows what a choice looks like: for events of its choices."""

    _writers: Mapping[type, Callable[[Any], bytes]]

    def __init__(self, frame: Frame, request: ChatRequest) -> None:
        self._frame = frame
        self._request = request
        self._tail = b',"usage":null}\n\n' if request.include_usage else b"}\n\n"
        self._head = b""
        self._usage: Usage | None = None
        self._over = False

    def render(self, events: list[Event]) -> bytes:
        return b"".join([self._event(event) for event in events])

    def end(self) -> bytes:
        if self._over:
            return b""
        self._over = True
        if self._usage is None or not self._request.include_usage:
            return DONE
        self._begin(Started())
        return self._head + b'],"usage":' + ENCODE(usage_object(self._usage)) + b"}\n\n" + DONE

    def _event(self, event: Event) -> bytes:
        if self._over:
            return b""
        writer = self._writers.get(type(event))
        if writer is not None:
            return writer(event)
        match event:
            case Started():
                self._begin(event)
            case Used():
                self._usage = event.usage
            case Ended():
                return self.end()
        return b""

    def go_on(self, started: Started) -> None:
        """After what a provider wrote in this dialect itself: under the id that it gave, whatever that looks like."""
        self._set_head({"id": started.id} if started.id else {}, started)

    def _begin(self, started: Started) -> None:
        """What every chunk begins with is settled by the first event."""
        if not self._head:
            self._set_head({}, started)

    def _set_head(self, own: dict[str, object], started: Started) -> None:
        fields = head(self._frame.prefix, self._frame.chunk, started, self._request) | own
        self._head = b"data: " + ENCODE(fields)[:-1] + b',"choices":['
