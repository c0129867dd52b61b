"""Streams of any wire: fed in pieces, broken, and put together again as `neutral` says that deltas are to be read."""

import re
from collections.abc import Iterable
from itertools import pairwise
from random import Random
from typing import Protocol, TypeVar

import msgspec

from providers.wire.neutral import (
    Answer,
    Choice,
    Event,
    Failed,
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
from providers.wire.shapes import Chunk

Read = TypeVar("Read")
VALUE = re.compile(rb'(?<=[:,\[])\s*("[^"]*"|-?\d[\d.eE+-]*|true|false|null|\[[^\[\]]*\]|\{[^{}]*\})')
ODD_BYTES = b'\x00\xff"{}[]:,\\\r\n0e-ntf'
ODD_VALUES = [b"null", b"{}", b"[]", b'"x"', b"5", b"-1", b"1e999", b"0.5", b"true", b"[{}]", b'{"a":[]}', b"9" * 40]


class Parser(Protocol[Read]):
    def feed(self, received: bytes, /) -> list[Read]: ...

    def close(self) -> list[Read]: ...


def fed(parser: Parser[Read], sent: bytes, cuts: Iterable[int] = ()) -> list[Read]:
    """All events, or chunks, of a stream that comes in pieces."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
    found = [event for start, end in pairwise(edges) for event in parser.feed(sent[start:end])]
    return found + parser.close()


def told(found: Iterable[Event | Chunk]) -> list[object]:
    """Events or chunks that can be compared: without their errors' identity."""
    return [comparable(each) for each in found]


def comparable(found: Event | Chunk) -> object:
    if isinstance(found, Chunk):
        fields = msgspec.structs.asdict(found)
        return {**fields, "error": str(found.error)}
    return str(found.error) if isinstance(found, Failed) else found


def broken(recording: bytes, chance: Random) -> bytes:
    """A recording with a few bytes, or a few values, in places where nobody expects them."""
    sent = bytearray(recording)
    for _ in range(chance.randrange(1, 5)):
        values = list(VALUE.finditer(sent)) if chance.random() < 0.5 else []
        if values:
            start, end = chance.choice(values).span(1)
            sent[start:end] = chance.choice(ODD_VALUES)
        else:
            place = chance.randrange(len(sent))
            sent[place : place + chance.randrange(3)] = bytes(chance.choices(ODD_BYTES, k=2))
    return bytes(sent)


class Assembling:
    """One choice. Its parts in the order in which they began."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.places: dict[int, int] = {}
        self.logprobs: list[msgspec.Raw] = []
        self.finished: Finished | None = None

    def add(self, event: Event) -> None:
        match event:
            case TextDelta():
                self.add_text(event)
            case ThinkingDelta():
                self.add_thought(event)
            case ThinkingRedacted():
                self.parts.append(RedactedThinking(encoded=event.encoded))
            case RefusalDelta():
                self.add_refusal(event)
            case ToolCallStarted():
                assert event.call == len(self.places)
                self.places[event.call] = len(self.parts)
                self.parts.append(ToolCall(id=event.id, name=event.name, arguments="", signature=event.signature))
            case ToolCallDelta():
                self.add_arguments(event)
            case Finished():
                assert self.finished is None
                self.finished = event

    def add_text(self, event: TextDelta) -> None:
        if event.logprobs is not None:
            self.logprobs += msgspec.json.decode(event.logprobs, type=dict[str, list[msgspec.Raw]])["content"]
        last = self.parts[-1] if self.parts else None
        if isinstance(last, Text):
            self.parts[-1] = Text(text=last.text + event.text)
        elif event.text:
            self.parts.append(Text(text=event.text))

    def add_thought(self, event: ThinkingDelta) -> None:
        last = self.parts[-1] if self.parts else None
        if isinstance(last, Thinking) and not last.signature:
            self.parts[-1] = Thinking(text=last.text + event.text, signature=event.signature)
        else:
            self.parts.append(Thinking(text=event.text, signature=event.signature))

    def add_refusal(self, event: RefusalDelta) -> None:
        last = self.parts[-1] if self.parts else None
        if isinstance(last, Refusal):
            self.parts[-1] = Refusal(text=last.text + event.text)
        else:
            self.parts.append(Refusal(text=event.text))

    def add_arguments(self, event: ToolCallDelta) -> None:
        place = self.places[event.call]
        begun = self.parts[place]
        assert isinstance(begun, ToolCall)
        self.parts[place] = msgspec.structs.replace(begun, arguments=begun.arguments + event.arguments)

    def choice(self, index: int) -> Choice:
        assert self.finished is not None
        logprobs = msgspec.Raw(msgspec.json.encode({"content": self.logprobs})) if self.logprobs else None
        finished = self.finished
        return Choice(
            parts=tuple(self.parts),
            finish=finished.finish,
            index=index,
            stop_sequence=finished.stop_sequence,
            logprobs=logprobs,
        )


def assembled(events: Iterable[Event]) -> Answer:
    """Fails on a stream that failed or did not finish."""
    started, usage = Started(), None
    choices: dict[int, Assembling] = {}
    for event in events:
        match event:
            case Failed():
                raise event.error
            case Started():
                started = event
            case Used():
                usage = event.usage
            case _ if hasattr(event, "choice"):
                choices.setdefault(event.choice, Assembling()).add(event)
    return Answer(
        choices=tuple(choices[index].choice(index) for index in sorted(choices)),
        id=started.id,
        model=started.model,
        usage=usage,
        created=started.created,
    )


def without_ids(answer: Answer) -> Answer:
    """Nor the time, which streams and whole answers may tell differently, nor the space between logprobs."""
    choices = tuple(choice_without_ids(choice) for choice in answer.choices)
    return msgspec.structs.replace(answer, id="", created=0, choices=choices)


def choice_without_ids(choice: Choice) -> Choice:
    parts = (msgspec.structs.replace(part, id="") if isinstance(part, ToolCall) else part for part in choice.parts)
    logprobs = None if choice.logprobs is None else msgspec.Raw(msgspec.json.format(choice.logprobs, indent=-1))
    return msgspec.structs.replace(choice, parts=tuple(parts), logprobs=logprobs)
