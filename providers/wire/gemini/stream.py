"""A streamed answer: server-sent events, each a reply of its own shape (ai.google.dev/api/generate-content).

Google sends no mark of the end: the last event tells the finish reason, then it hangs up. Usage comes with every
event and counts up.
"""

from uuid import uuid4

from common.errors import UpstreamError
from providers.wire.gemini.answer import (
    NO_REASON,
    created_of,
    failure_of,
    finish_of,
    is_blocked,
    logprobs_of,
    numbered,
    parts_of,
)
from providers.wire.gemini.shapes import Candidate, Reply, read_reply
from providers.wire.gemini.usage import usage_of
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
from providers.wire.sse import MAX_EVENT_BYTES, NeutralStream

# What servers that resemble Gemini put at the end, as OpenAI does.
DONE = b"[DONE]"


class GeminiStream(NeutralStream):
    """`choices` is how many answers the request asked for."""

    def __init__(self, choices: int = 1, limit: int = MAX_EVENT_BYTES) -> None:
        super().__init__(limit)
        self._choices = choices
        self._started = False
        self._made_id = uuid4().hex
        self._calls: dict[int, int] = {}
        self._ended: set[int] = set()

    def _read(self, raw: bytes, kind: bytes, payload: bytes) -> list[Event]:
        """An error may come as bare JSON, in a line that begins no event."""
        payload = payload.strip()
        if payload == DONE:
            return [Ended()]
        if not payload:
            payload = raw.strip()
            if payload[:1] not in (b"{", b"["):
                return []
        return self._reply(payload)

    def _reply(self, payload: bytes) -> list[Event]:
        events: list[Event] = []
        try:
            self._tell(read_reply(payload), events)
        except UpstreamError as error:
            self._broken = True
            events.append(Failed(error=error))
        return events

    def _tell(self, reply: Reply, events: list[Event]) -> None:
        """Raises UpstreamError for an answer that is none; what came before it is told."""
        if not self._started:
            self._started = True
            model = reply.model_version or ""
            events.append(Started(id=reply.response_id or "", model=model, created=created_of(reply)))
        place = len(events)
        for candidate, index in numbered(reply):
            self._tell_candidate(candidate, index, f"{reply.response_id or self._made_id}.{index}", events)
        if is_blocked(reply):
            self._tell_blocked(events)
        self._tell_usage(reply, events, place)
        for candidate in reply.candidates or ():
            if (failure := failure_of(candidate)) is not None:
                raise failure

    def _tell_usage(self, reply: Reply, events: list[Event], place: int) -> None:
        """The final one after all; any other ahead of the words, for dialects that tell the prompt's tokens first."""
        if (usage := usage_of(reply.usage_metadata)) is None:
            return
        final = len(self._ended) >= self._choices
        events.insert(len(events) if final else place, Used(usage=usage, final=final))

    def _tell_candidate(self, candidate: Candidate, index: int, choice_id: str, events: list[Event]) -> None:
        logprobs = logprobs_of(candidate)
        for part in parts_of(candidate, choice_id, self._calls.get(index, 0)):
            if isinstance(part, Text):
                events.append(TextDelta(text=part.text, choice=index, logprobs=logprobs))
                logprobs = None
            else:
                events += self._of_part(part, index)
        if logprobs is not None:
            events.append(TextDelta(text="", choice=index, logprobs=logprobs))
        if candidate.finish_reason in NO_REASON or failure_of(candidate) or index in self._ended:
            return
        self._ended.add(index)
        events.append(Finished(finish=finish_of(candidate, index in self._calls), choice=index))

    def _of_part(self, part: Part, index: int) -> list[Event]:
        match part:
            case Thinking():
                return [ThinkingDelta(text=part.text, signature=part.signature, choice=index)]
            case ToolCall():
                call = self._calls.get(index, 0)
                self._calls[index] = call + 1
                return [
                    ToolCallStarted(call=call, id=part.id, name=part.name, signature=part.signature, choice=index),
                    ToolCallDelta(call=call, arguments=part.arguments, choice=index),
                ]
            case _:
                return []

    def _tell_blocked(self, events: list[Event]) -> None:
        events += [Finished(finish="content_filter", choice=n) for n in range(self._choices) if n not in self._ended]
        self._ended.update(range(self._choices))
