"""Events of an answer put together to what it would have been as a whole, and a whole answer told as events."""

from collections.abc import Iterable

import msgspec

from providers.wire.neutral import (
    Answer,
    Choice,
    Ended,
    Event,
    Failed,
    Finish,
    Finished,
    Part,
    RedactedThinking,
    Refusal,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ThinkingRedacted,
    ToolCall,
    ToolCallDelta,
    ToolCallStarted,
    Used,
)
from providers.wire.shapes import Usage

Logprobs = dict[str, list[msgspec.Raw]]
LOGPROBS = msgspec.json.Decoder(dict[str, list[msgspec.Raw] | None])


class OpenPart:
    """A part that is still being written. `key` tells which deltas belong to it."""

    def __init__(self, key: object, part: Part) -> None:
        self.key = key
        self.part = part
        self.pieces: list[str] = []

    def closed(self) -> Part:
        text = "".join(self.pieces)
        match self.part:
            case ToolCall():
                return msgspec.structs.replace(self.part, arguments=text)
            case Text() | Thinking() | Refusal():
                return msgspec.structs.replace(self.part, text=text)
            case _:
                return self.part


class OpenChoice:
    def __init__(self, index: int) -> None:
        self.index = index
        self.finish: Finish = "stop"
        self.stop_sequence = ""
        self._parts: list[OpenPart] = []
        self._calls: dict[int, OpenPart] = {}
        self._logprobs: Logprobs = {}

    def add(self, event: Event) -> None:
        match event:
            case TextDelta():
                self._note(event.logprobs)
                self._last("text", Text(text="")).pieces.append(event.text)
            case RefusalDelta():
                self._last("refusal", Refusal(text="")).pieces.append(event.text)
            case ThinkingDelta():
                self._think(event)
            case ThinkingRedacted():
                self._parts.append(OpenPart(None, RedactedThinking(encoded=event.encoded)))
            case ToolCallStarted():
                call = ToolCall(id=event.id, name=event.name, arguments="", signature=event.signature)
                self._calls[event.call] = OpenPart(None, call)
                self._parts.append(self._calls[event.call])
            case ToolCallDelta():
                self._calls[event.call].pieces.append(event.arguments)
            case Finished():
                self.finish, self.stop_sequence = event.finish, event.stop_sequence

    def _last(self, key: str, fresh: Part) -> OpenPart:
        if not self._parts or self._parts[-1].key != key:
            self._parts.append(OpenPart(key, fresh))
        return self._parts[-1]

    def _think(self, event: ThinkingDelta) -> None:
        thought = self._last("thinking", Thinking(text=""))
        thought.pieces.append(event.text)
        if event.signature:
            thought.part, thought.key = Thinking(text="", signature=event.signature), None

    def _note(self, logprobs: msgspec.Raw | None) -> None:
        if logprobs is not None:
            for name, entries in LOGPROBS.decode(logprobs).items():
                self._logprobs.setdefault(name, []).extend(entries or ())

    def closed(self) -> Choice:
        return Choice(
            index=self.index,
            parts=tuple(part for part in (each.closed() for each in self._parts) if part != Text(text="")),
            finish=self.finish,
            stop_sequence=self.stop_sequence,
            logprobs=msgspec.Raw(msgspec.json.encode(self._logprobs)) if self._logprobs else None,
        )


def answer_of(events: Iterable[Event]) -> Answer:
    """Raises the error of a Failed, and KeyError for a delta of a call that was never started."""
    started = Started()
    usage: Usage | None = None
    choices: dict[int, OpenChoice] = {}
    for event in events:
        match event:
            case Failed():
                raise event.error
            case Started():
                started = event
            case Used():
                usage = event.usage
            case (
                TextDelta() | ThinkingDelta() | ThinkingRedacted() | RefusalDelta()
                | ToolCallStarted() | ToolCallDelta() | Finished()
            ):  # fmt: skip
                choices.setdefault(event.choice, OpenChoice(event.choice)).add(event)
    return Answer(
        choices=tuple(choices[index].closed() for index in sorted(choices)),
        id=started.id,
        model=started.model,
        usage=usage,
        created=started.created,
    )


def words_of(event: Event) -> str:
    """What of an event was generated."""
    match event:
        case TextDelta() | ThinkingDelta() | RefusalDelta():
            return event.text
        case ToolCallStarted():
            return event.name
        case ToolCallDelta():
            return event.arguments
        case _:
            return ""


def events_of(answer: Answer) -> Iterable[Event]:
    """A whole answer as a stream would have brought it."""
    yield Started(id=answer.id, model=answer.model, created=answer.created)
    for choice in answer.choices:
        yield from events_of_choice(choice)
    if answer.usage is not None:
        yield Used(usage=answer.usage)
    yield Ended()


def events_of_choice(choice: Choice) -> Iterable[Event]:
    calls = 0
    logprobs = choice.logprobs
    for part in choice.parts:
        if isinstance(part, ToolCall):
            yield ToolCallStarted(call=calls, id=part.id, name=part.name, signature=part.signature, choice=choice.index)
            yield ToolCallDelta(call=calls, arguments=part.arguments, choice=choice.index)
            calls += 1
        elif isinstance(part, Text):
            yield TextDelta(text=part.text, choice=choice.index, logprobs=logprobs)
            logprobs = None
        else:
            yield from events_of_part(part, choice.index)
    yield Finished(finish=choice.finish, stop_sequence=choice.stop_sequence, choice=choice.index)


def events_of_part(part: Part, choice: int) -> Iterable[Event]:
    match part:
        case Thinking():
            yield ThinkingDelta(text=part.text, signature=part.signature, choice=choice)
        case RedactedThinking():
            yield ThinkingRedacted(encoded=part.encoded, choice=choice)
        case Refusal():
            yield RefusalDelta(text=part.text, choice=choice)
        case _:
            return
