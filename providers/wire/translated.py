"""A caller's dialect on a provider's wire: the same four functions as a wire that passes bytes through.

One instance for each attempt, since what is rendered depends on what was asked.
"""

from collections.abc import Iterator, Mapping

from common.errors import OrchestratorError
from providers.wire.assembly import events_of, words_of
from providers.wire.neutral import (
    Ended,
    Event,
    Failed,
    Finished,
    Started,
    Used,
)
from providers.wire.ports import EventParser, Renderer, Speech, Wire
from providers.wire.shapes import ChatRequest, Chunk, Dialect, StreamParser, Target, UpstreamRequest


class Translated:
    """`request` is what this attempt is to answer."""

    def __init__(self, speech: Speech, wire: Wire, request: ChatRequest) -> None:
        self.name = wire.name
        self._speech = speech
        self._wire = wire
        self._request = request
        self._prompt = speech.prompt_of(request)

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest:
        return self._wire.build_prompt(self._prompt, target, stream=request.stream)

    def parse_response(self, body: bytes, dialect: Dialect = "chat") -> Chunk:
        """For a caller who wants a stream of a provider that has none, the whole answer is one burst of events."""
        answer = self._wire.read_answer(body)
        events = list(events_of(answer))
        raw = self._speech.render_answer(answer, self._request)
        if self._request.stream:
            renderer = self._speech.renderer(self._request)
            raw = renderer.render(events) + renderer.end()
        return chunk_of(raw, events, finished=True, done=True)

    def parse_stream(self, request: ChatRequest) -> StreamParser:
        return TranslatedStream(self._wire.read_stream(self._prompt), self._speech.renderer(request), request.choices)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return self._wire.parse_error(status, headers, body)


class TranslatedStream:
    """Chunks whose `raw` is in the caller's dialect."""

    def __init__(self, parser: EventParser, renderer: Renderer, choices: int) -> None:
        self._parser = parser
        self.renderer = renderer
        self._choices = choices
        self._finished: set[int] = set()
        self._over = False

    def feed(self, data: bytes) -> list[Chunk]:
        return [] if self._over else self._chunks(self._parser.feed(data))

    def close(self) -> list[Chunk]:
        """A provider that hangs up after a finished answer without its mark has ended it all the same."""
        if self._over:
            return []
        chunks = self._chunks(self._parser.close())
        if not self._over and len(self._finished) >= self._choices:
            self._over = True
            chunks.append(Chunk(raw=self.renderer.end(), finished=True, done=True))
        return chunks

    def left(self) -> bool:
        """Whether bytes still waited for the rest of their event: nobody has been told of these. Nothing is fed after
        this."""
        return bool(self._parser.close())

    def _chunks(self, events: list[Event]) -> list[Chunk]:
        """One chunk for all, and one of its own for a failure: what came before it is the caller's."""
        if not events:
            return []
        told, failure = until_failure(events)
        chunks = list(self._told(told)) if told else []
        if failure is not None:
            self._over = True
            chunks.append(self._last_chunk(failure))
        return chunks

    def _last_chunk(self, failure: OrchestratorError) -> Chunk:
        """Of a finished answer nothing is missing but its end, which is ours to write."""
        if len(self._finished) >= self._choices:
            return Chunk(raw=self.renderer.end(), finished=True, done=True)
        return Chunk(raw=b"", error=failure)

    def _told(self, events: list[Event]) -> Iterator[Chunk]:
        """What was reported too early to be all of it has a chunk of its own, ahead of an end that came with it; so
        does an end that is none, since the answer is not finished: it is not rendered, for somebody may go on."""
        self._finished.update(event.choice for event in events if isinstance(event, Finished))
        self._over = any(isinstance(event, Ended) for event in events)
        finished = len(self._finished) >= self._choices
        if finished and (early := last_report(events)) is not None and not early.final:
            yield Chunk(raw=b"", usage=early.usage)
            yield chunk_of(self.renderer.render(events), events, finished=True, done=self._over, reported=False)
        elif self._over and not finished:
            said: list[Event] = [event for event in events if not isinstance(event, Ended)]
            if said:
                yield chunk_of(self.renderer.render(said), said, finished=False, done=False)
            yield Chunk(raw=b"", done=True)
        else:
            yield chunk_of(self.renderer.render(events), events, finished=finished, done=self._over)


def until_failure(events: list[Event]) -> tuple[list[Event], OrchestratorError | None]:
    for position, event in enumerate(events):
        if isinstance(event, Failed):
            return events[:position], event.error
    return events, None


def last_report(events: list[Event]) -> Used | None:
    """The last that counts anything."""
    reports = (event for event in reversed(events) if isinstance(event, Used))
    return next((report for report in reports if report.usage.input_tokens or report.usage.output_tokens), None)


def chunk_of(raw: bytes, events: list[Event], *, finished: bool, done: bool, reported: bool = True) -> Chunk:
    """`raw` with what the meter needs to know of the events in it; of usage, if that was `reported` here."""
    model = reason = None
    report = last_report(events) if reported else None
    text: list[str] = []
    for event in events:
        match event:
            case Started():
                model = event.model or None
            case Finished():
                reason = event.finish
            case _:
                text.append(words_of(event))
    return Chunk(
        raw=raw,
        text="".join(text),
        model=model,
        finish_reason=reason,
        usage=None if report is None else report.usage,
        finished=finished,
        done=done,
    )
