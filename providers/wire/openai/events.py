"""A chat completion as events, whole or streamed: both are read by the same eyes, so that both say the same.

Read without types: servers of this wire stray from it in many ways, and an answer is never lost over a field.
(platform.openai.com/docs/api-reference/chat-streaming; docs.vllm.ai and api-docs.deepseek.com on `reasoning_content`;
docs.mistral.ai on thinking parts; ai.google.dev/gemini-api/docs/openai on `extra_content`)
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from common.errors import UpstreamError, UpstreamGarbled
from providers.wire.assembly import answer_of
from providers.wire.fields import MAX_CHOICES
from providers.wire.neutral import (
    Answer,
    Ended,
    Event,
    Failed,
    Finish,
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
from providers.wire.openai.errors import error_in_answer
from providers.wire.openai.response import flattened, loose_usage, number, string, usage_of
from providers.wire.openai.stream import DONE
from providers.wire.sse import MAX_EVENT_BYTES, NeutralStream

MOST_CALLS = 1024
# Characters of a call's arguments that are kept while its name is awaited.
MOST_HELD = 1 << 20
PLAIN = frozenset(("role", "content", "refusal"))
NO_REASON = ("", "null")
FINISHES: Mapping[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def read_answer(body: bytes) -> Answer:
    """Raises UpstreamGarbled for bytes that are no answer, and the error inside one that carries it."""
    loose = decoded(body)
    try:
        events = list(Reading().read(loose, b""))
    except RecursionError:
        raise too_deep() from None
    if failure := next((event.error for event in events if isinstance(event, Failed)), None):
        raise failure
    answer = answer_of(events)
    if not answer.choices:
        raise UpstreamGarbled("The provider's answer has no choices.")
    return answer


def decoded(payload: bytes) -> dict[str, Any]:
    try:
        loose = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamGarbled("The provider sent something that is not JSON.") from None
    if not isinstance(loose, dict):
        raise UpstreamGarbled("The provider sent JSON that is not an object.")
    return loose


def too_deep() -> UpstreamGarbled:
    return UpstreamGarbled("The provider's answer is nested too deeply.")


class OpenAIEvents(NeutralStream):
    """One stream."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        super().__init__(limit)
        self._reading = Reading()

    def _read(self, raw: bytes, kind: bytes, payload: bytes) -> list[Event]:
        if len(payload) < 32:
            word = payload.strip()
            if not word:
                return []
            if word == DONE:
                self._broken = True
                return [Ended()]
        try:
            loose = decoded(payload)
            if not kind and (usual := self._reading.plain_text(loose)) is not None:
                return [usual]
            events = list(self._reading.read(loose, kind))
        except UpstreamError as error:
            events = [Failed(error=error)]
        except RecursionError:
            events = [Failed(error=too_deep())]
        if events and isinstance(events[-1], Failed):
            self._broken = True
        return events


class Reading:
    """What has been read of one answer so far."""

    def __init__(self) -> None:
        self._started = False
        self._seed = 0
        self._choices: dict[int, OpenChoice] = {}

    def read(self, loose: dict[str, Any], kind: bytes) -> Iterator[Event]:
        """The events in one object of the vendor's: a chunk, or the whole. A Failed is the last."""
        failure = loose.get("error") or (loose if kind == b"error" else None)
        choices = loose.get("choices")
        if not self._started and (choices or loose.get("id")):
            yield self._start(loose)
        ended = False
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(choice, dict):
                for event in self._choice(choice, position).read(choice):
                    ended = ended or isinstance(event, Finished)
                    yield event
        reported = loose.get("usage")
        if isinstance(reported, dict) and (usage := usage_of(loose_usage(reported))) is not None:
            yield Used(usage=usage, final=ended or not choices)
        if failure:
            error = error_in_answer(msgspec.Raw(msgspec.json.encode(failure)))
            yield Failed(error=error or UpstreamGarbled("The provider broke off."))

    def plain_text(self, loose: dict[str, Any]) -> TextDelta | None:
        """What `read` would say of an event with some text and nothing else, as most are: sooner."""
        choices = loose.get("choices")
        if not isinstance(choices, list) or len(choices) != 1 or loose.get("usage") or loose.get("error"):
            return None
        choice = choices[0]
        if not isinstance(choice, dict) or choice.get("finish_reason") or choice.get("logprobs"):
            return None
        words, index = choice.get("delta"), choice.get("index")
        if not isinstance(words, dict) or not PLAIN.issuperset(words) or words.get("refusal"):
            return None
        text = words.get("content")
        # A choice that is known by its index was read before, and so was the beginning of the answer.
        if not isinstance(text, str) or not text or type(index) is not int or index not in self._choices:
            return None
        return TextDelta(text=text, choice=index)

    def _start(self, loose: dict[str, Any]) -> Started:
        self._started = True
        started = Started(
            id=string(loose.get("id")) or "",
            model=string(loose.get("model")) or "",
            created=max(number(loose.get("created")) or 0, 0),
        )
        self._seed = zlib.crc32(f"{started.id} {started.created}".encode(errors="replace"))
        return started

    def _choice(self, loose: dict[str, Any], position: int) -> "OpenChoice":
        index = number(loose.get("index"))
        if index is None or not 0 <= index < MAX_CHOICES:
            index = min(position, MAX_CHOICES - 1)
        if index not in self._choices:
            self._choices[index] = OpenChoice(index, self._seed)
        return self._choices[index]


class OpenCall:
    """A call is told once its name is known."""

    __slots__ = ("arguments", "held", "id", "name", "number", "signature", "told")

    def __init__(self, number: int) -> None:
        self.number = number
        self.held = 0
        self.id = self.name = self.signature = ""
        self.arguments: list[str] = []
        self.told = False


class OpenChoice:
    """What has been read of one choice so far. `seed` makes ids for calls that come without."""

    def __init__(self, index: int, seed: int) -> None:
        self._index = index
        self._seed = seed
        self._calls: list[OpenCall] = []
        self._place_of: dict[int | None, OpenCall] = {}
        self._refused = False
        self._ended = False

    def read(self, loose: dict[str, Any]) -> Iterator[Event]:
        words = loose.get("delta") or loose.get("message")
        if isinstance(words, dict):
            yield from self._words(words, loose.get("logprobs"))
        reason = string(loose.get("finish_reason")) or ""
        if reason in NO_REASON:
            # Some servers leave it out of a whole answer, of which the body's own end says as much.
            reason = "stop" if "message" in loose else ""
        if reason and not self._ended:
            self._ended = True
            yield from self._end(reason, loose)

    def _words(self, words: dict[str, Any], logprobs: Any) -> Iterator[Event]:
        yield from self._thoughts(words)
        content = words.get("content")
        noted = noted_logprobs(logprobs)
        if isinstance(content, list):
            yield from self._parts(content, noted)
        elif (isinstance(content, str) and content) or noted is not None:
            yield TextDelta(text=content if isinstance(content, str) else "", choice=self._index, logprobs=noted)
        if refusal := string(words.get("refusal")):
            self._refused = True
            yield RefusalDelta(text=refusal, choice=self._index)
        calls = words.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                yield from self._call(call, position)
        if isinstance(words.get("function_call"), dict):
            yield from self._call({"function": words["function_call"]}, 0)

    def _thoughts(self, words: dict[str, Any]) -> Iterator[Event]:
        """Some servers send the same thought as `reasoning` and as `reasoning_content`."""
        if text := flattened(words.get("reasoning_content") or words.get("reasoning")):
            yield ThinkingDelta(text=text, choice=self._index)
        blocks = words.get("thinking_blocks")
        for block in blocks if isinstance(blocks, list) else ():
            if isinstance(block, dict):
                if signature := string(block.get("signature")):
                    yield ThinkingDelta(signature=signature, choice=self._index)
                if encoded := string(block.get("data")):
                    yield ThinkingRedacted(encoded=encoded, choice=self._index)

    def _parts(self, content: list[Any], noted: msgspec.Raw | None) -> Iterator[Event]:
        for part in content:
            text = flattened(part)
            if not text:
                continue
            if isinstance(part, dict) and "thinking" in part:
                yield ThinkingDelta(text=text, choice=self._index)
            else:
                yield TextDelta(text=text, choice=self._index, logprobs=noted)
                noted = None

    def _call(self, loose: dict[str, Any], position: int) -> Iterator[Event]:
        function = loose.get("function")
        function = function if isinstance(function, dict) else {}
        id_, name = string(loose.get("id")) or "", string(function.get("name")) or ""
        call = self._call_at(number(loose.get("index")), position, id_, name)
        call.id = call.id or id_
        call.name = call.name or name
        call.signature = call.signature or signature_in(loose)
        arguments = function.get("arguments")
        if isinstance(arguments, dict | list):
            arguments = msgspec.json.encode(arguments).decode()
        if isinstance(arguments, str) and arguments:
            call.arguments.append(arguments)
            call.held += len(arguments)
        if call.name or call.held > MOST_HELD:
            yield from self._told(call)

    def _call_at(self, place: int | None, position: int, id_: str, name: str) -> OpenCall:
        """Servers that give every call the same place, or none, tell them apart by id."""
        known = self._place_of.get(position if place is None else place)
        if known is None or (id_ and name and known.id and known.id != id_):
            if len(self._calls) >= MOST_CALLS:
                raise UpstreamGarbled(f"The provider's answer has more than {MOST_CALLS} calls.")
            known = OpenCall(len(self._calls))
            self._calls.append(known)
            self._place_of[position if place is None else place] = known
        return known

    def _told(self, call: OpenCall) -> Iterator[Event]:
        if not call.told:
            call.told = True
            yield ToolCallStarted(
                call=call.number,
                id=call.id or f"call_{self._seed:08x}_{self._index}_{call.number}",
                name=call.name,
                signature=call.signature,
                choice=self._index,
            )
        if call.arguments:
            yield ToolCallDelta(call=call.number, arguments="".join(call.arguments), choice=self._index)
            call.arguments.clear()
            call.held = 0

    def _end(self, reason: str, loose: dict[str, Any]) -> Iterator[Event]:
        for call in self._calls:
            if not call.told:
                yield from self._told(call)
        met = string(loose.get("stop_reason")) or ""
        finish = FINISHES.get(reason, "stop")
        if finish == "stop":
            if self._calls:
                finish = "tool_calls"
            elif self._refused:
                finish = "refusal"
            elif met:
                finish = "stop_sequence"
        yield Finished(finish=finish, stop_sequence=met if finish == "stop_sequence" else "", choice=self._index)


def signature_in(loose: dict[str, Any]) -> str:
    extra = loose.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    return (string(google.get("thought_signature")) if isinstance(google, dict) else None) or ""


def noted_logprobs(loose: Any) -> msgspec.Raw | None:
    """OpenAI's {"content": [...]}; None for nothing and for other shapes."""
    entries = loose.get("content") if isinstance(loose, dict) else None
    if not isinstance(entries, list) or not entries:
        return None
    return msgspec.Raw(msgspec.json.encode({"content": entries}))
