"""An answer that broke off, gone on with by another provider, so that the caller sees one stream. Pure.

*Continue*: the other provider is given what was said as the beginning of its own answer (a prefill) and goes on.
*Restart*: it answers anew, and is accepted as long as it says again, letter for letter, what the caller already has.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from common.errors import InvalidRequest, OrchestratorError, UpstreamGarbled
from providers.wire.faithful import says_more_than_words
from providers.wire.neutral import (
    Ended,
    Event,
    Failed,
    Finished,
    Message,
    Prompt,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.openai.frames import Chunks
from providers.wire.ports import EventParser, Renderer, Speech, Wire
from providers.wire.registry import SPEECHES, wire_of
from providers.wire.shapes import ChatRequest, Chunk, Dialect, StreamParser, Target, UpstreamRequest
from providers.wire.translated import TranslatedStream, chunk_of

Mode = Literal["continue", "restart"]
BYTES_PER_TOKEN: Final = 4
PREFILL: Final = "prefill"
"""The capability of a model that goes on with an assistant's last message."""
BEYOND_RESCUE: Final = (ToolCallStarted, ToolCallDelta, RefusalDelta, Finished)
BESIDE_WORDS: Final = frozenset(("modalities", "audio"))
"""Fields that ask for an answer in pictures or sound."""
UNTOLD: Final = (Started, ThinkingDelta, ThinkingRedacted)
"""What comes before the words of an answer, of which the caller has had its share."""


class Said:
    """What the caller has of an answer: its `text`, and the renderer that goes on writing it.

    `hindrance` is why nobody may go on with it; empty where somebody may.
    """

    def __init__(self, prompt: Prompt, events: Iterable[Event], renderer: Renderer) -> None:
        self.prompt = prompt
        self.renderer = renderer
        self.text = ""
        self.hindrance = hindrance_of(prompt)
        for event in events:
            if isinstance(event, TextDelta):
                self.text += event.text
            elif isinstance(event, BEYOND_RESCUE):
                self.hindrance = hindrance_after(event)


def hindrance_of(prompt: Prompt) -> str:
    if prompt.choices > 1:
        return "several_choices"
    if prompt.logprobs:
        return "logprobs"
    if not BESIDE_WORDS.isdisjoint(prompt.others):
        return "more_than_words"
    return "" if prompt.format is None or prompt.format.kind == "text" else "structured_output"


def hindrance_after(event: Event) -> str:
    return "finished" if isinstance(event, Finished) else "refusal" if isinstance(event, RefusalDelta) else "tool_call"


def said_of(request: ChatRequest, target: Target, received: bytes, parser: StreamParser) -> Said | None:
    """`received` is all that came from the target, `parser` what has read it, and reads no more. None for a dialect
    without words, and for the legacy shape as a provider writes it, which has no reader."""
    speech = SPEECHES.get(request.dialect)
    if speech is None:
        return None
    wire, prompt = wire_of(target), speech.prompt_of(request)
    reader = wire.read_stream(prompt)
    if isinstance(parser, TranslatedStream):
        events = reader.feed(received) + ([] if parser.left() else reader.close())
        return Said(prompt, until_end(events), parser.renderer)
    if request.dialect == "completions":
        return None
    shown = shown_of(wire.parse_stream(request), received, whole=not parser.close())
    events = until_end(reader.feed(shown) + reader.close())
    said = Said(prompt, events, went_on(speech.renderer(request), events))
    if not said.hindrance and says_more_than_words(request.dialect, shown):
        said.hindrance = "more_than_words"
    return said


def shown_of(parser: StreamParser, received: bytes, *, whole: bool) -> bytes:
    """What the caller got of a stream that passed through: neither an error nor what came with it, nor an end too
    early; the last event without its end only where the provider had ended the stream, so that this was `whole`."""
    shown: list[bytes] = []
    for chunk in parser.feed(received) + (parser.close() if whole else []):
        if chunk.error is not None or (chunk.done and not chunk.finished):
            break
        shown.append(chunk.raw)
    return b"".join(shown)


def went_on(renderer: Renderer, events: list[Event]) -> Renderer:
    """The renderer, as if it had written what a provider wrote itself."""
    started = next((event for event in events if isinstance(event, Started)), None)
    if isinstance(renderer, Chunks) and started is not None:
        renderer.go_on(started)
    renderer.render(events)
    return renderer


def until_end(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Failed | Ended | Used)]


class Resuming:
    """The wire of an attempt that goes on with what was `said`."""

    def __init__(self, said: Said, speech: Speech, wire: Wire, mode: Mode) -> None:
        self.name = wire.name
        self._said = said
        self._speech = speech
        self._wire = wire
        self._mode = mode
        self._prefill = said.text.rstrip() if mode == "continue" else ""

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest:
        """Of the target's own request, which may differ by its parameters from what was asked of the first one. Raises
        InvalidRequest for what the target cannot express, and where they forbid to go on."""
        prompt = self._speech.prompt_of(request)
        if hindrance := hindrance_of(prompt):
            raise InvalidRequest(f"No answer is gone on with that has {hindrance}.", code="no_continuation")
        return self._wire.build_prompt(with_prefill(prompt, self._prefill), target, stream=True)

    def parse_response(self, body: bytes, dialect: Dialect = "chat") -> Chunk:
        """Raises the error in an answer that is none; who was asked for a stream gives no other."""
        self._wire.read_answer(body)
        raise UpstreamGarbled("The provider answered as a whole where a stream was asked for.")

    def parse_stream(self, request: ChatRequest) -> StreamParser:
        events = self._wire.read_stream(self._said.prompt)
        return RestStream(Rest(events, self._said, self._prefill, self._mode), self._said.renderer)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return self._wire.parse_error(status, headers, body)


def with_prefill(prompt: Prompt, text: str) -> Prompt:
    """What the caller itself had begun comes before what was said; the limit is what is left of it, by estimate."""
    if not text:
        return prompt
    *earlier, last = prompt.messages
    part = Text(text=text)
    if last.role == "assistant":
        messages = (*earlier, msgspec.structs.replace(last, parts=(*last.parts, part)))
    else:
        messages = (*prompt.messages, Message(role="assistant", parts=(part,)))
    limit = prompt.max_output_tokens
    left = None if limit is None else max(1, limit - len(text.encode()) // BYTES_PER_TOKEN)
    return msgspec.structs.replace(prompt, messages=messages, max_output_tokens=left)


class Rest:
    """Of an answer's events those that the caller lacks: what it already has is held back, and compared. `repeated` are
    those held back since somebody last looked."""

    def __init__(self, events: EventParser, said: Said, prefill: str, mode: Mode) -> None:
        self._events = events
        self._said = said
        # After a prefill nothing is repeated but, by some, the white space that it was sent without.
        self._expected = said.text[len(prefill) :]
        self._lenient = mode == "continue"
        self._over = False
        self.repeated: list[Event] = []

    def feed(self, received: bytes) -> list[Event]:
        return self._lacking(self._events.feed(received))

    def close(self) -> list[Event]:
        return self._lacking(self._events.close())

    def _lacking(self, events: list[Event]) -> list[Event]:
        lacking: list[Event] = []
        for event in events:
            new = None if self._over else self._new(event)
            if new is not None:
                lacking.append(new)
                self._over = isinstance(new, Failed)
        return lacking

    def _new(self, event: Event) -> Event | None:
        if isinstance(event, TextDelta):
            return self._new_text(event)
        if isinstance(event, UNTOLD):
            self.repeated.append(event)
            return None
        if self._expected and not self._lenient and not isinstance(event, Used | Failed):
            return diverged()
        if isinstance(event, BEYOND_RESCUE):
            self._said.hindrance = hindrance_after(event)
        return event

    def _new_text(self, event: TextDelta) -> TextDelta | Failed | None:
        text, expected = event.text, self._expected
        if expected:
            known = min(len(text), len(expected))
            if text[:known] == expected[:known]:
                self._expected = expected[known:]
                self.repeated.append(TextDelta(text=text[:known]))
                text = text[known:]
            elif self._lenient:
                self._expected = ""
            else:
                return diverged()
        self._said.text += text
        return TextDelta(text=text) if text else None


class RestStream(TranslatedStream):
    """What is said again has a chunk of its own, for those who meter the provider and watch over its pace."""

    def __init__(self, rest: Rest, renderer: Renderer) -> None:
        super().__init__(rest, renderer, 1)
        self._rest = rest

    def feed(self, data: bytes) -> list[Chunk]:
        return self._with_repeated(super().feed(data))

    def close(self) -> list[Chunk]:
        return self._with_repeated(super().close())

    def _with_repeated(self, chunks: list[Chunk]) -> list[Chunk]:
        repeated, self._rest.repeated = self._rest.repeated, []
        if not repeated:
            return chunks
        heard = chunk_of(b"", repeated, finished=False, done=False)
        return [msgspec.structs.replace(heard, repeated=True), *chunks]


def diverged() -> Failed:
    return Failed(error=UpstreamGarbled("The answer could not be gone on with.", code="upstream_diverged"))


def resuming(said: Said, request: ChatRequest, target: Target, mode: Mode) -> Resuming:
    return Resuming(said, SPEECHES[request.dialect], wire_of(target), mode)
