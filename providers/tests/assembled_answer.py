"""The events of a stream put together: what `read_answer` must say of the same answer sent whole."""

from collections.abc import Iterable

import msgspec

from providers.wire.neutral import (
    Answer,
    Choice,
    Event,
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


def assembled(events: Iterable[Event]) -> Answer:
    """For streams of one answer."""
    answer = Answer(choices=())
    parts: list[Part] = []
    calls: dict[int, int] = {}
    finished = Finished(finish="stop")
    for event in events:
        match event:
            case Started():
                answer = msgspec.structs.replace(answer, id=event.id, model=event.model, created=event.created)
            case Used():
                answer = msgspec.structs.replace(answer, usage=event.usage)
            case Finished():
                finished = event
            case ToolCallStarted():
                calls[event.call] = len(parts)
                parts.append(ToolCall(id=event.id, name=event.name, arguments="", signature=event.signature))
            case ToolCallDelta():
                call = parts[calls[event.call]]
                assert isinstance(call, ToolCall)
                parts[calls[event.call]] = msgspec.structs.replace(call, arguments=call.arguments + event.arguments)
            case _:
                extend(parts, event)
    choice = Choice(parts=tuple(parts), finish=finished.finish, stop_sequence=finished.stop_sequence)
    return msgspec.structs.replace(answer, choices=(choice,))


def extend(parts: list[Part], event: Event) -> None:
    last = parts[-1] if parts else None
    match event:
        case TextDelta():
            if isinstance(last, Text):
                parts[-1] = Text(text=last.text + event.text)
            else:
                parts.append(Text(text=event.text))
        case ThinkingDelta():
            if isinstance(last, Thinking) and not last.signature:
                parts[-1] = Thinking(text=last.text + event.text, signature=event.signature)
            else:
                parts.append(Thinking(text=event.text, signature=event.signature))
        case ThinkingRedacted():
            parts.append(RedactedThinking(encoded=event.encoded))
        case RefusalDelta():
            parts.append(Refusal(text=event.text))
