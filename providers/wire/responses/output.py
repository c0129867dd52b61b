"""The output items of a response while they are being made, each told by the events that make it.

Items are begun one after the other, and `output_index` says which one an event belongs to: calls stay open until the
end, since a provider may mix the arguments of those that run in parallel.
(platform.openai.com/docs/api-reference/responses-streaming)
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from providers.wire.calls import SIGNED_CALL
from providers.wire.neutral import ToolCallStarted
from providers.wire.responses.items import REDACTED

Fields = dict[str, Any]
Status = Literal["in_progress", "completed", "incomplete"]
Kind = Literal["output_text", "refusal"]

EMPTY: Final[list[object]] = []


class Words:
    """An assistant's message: texts and refusals in the order in which they came."""

    def __init__(self, index: int, stem: str) -> None:
        self.index = index
        self.id = f"msg_{stem}"
        self._kind: Kind | None = None
        self._pieces: list[str] = []
        self._logprobs: list[msgspec.Raw] = []
        self._parts: list[Fields] = []

    def told(self, status: Status) -> Fields:
        return {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": list(self._parts)}

    def say(self, kind: Kind, text: str, logprobs: list[msgspec.Raw]) -> Iterator[Fields]:
        if kind != self._kind:
            yield from self.finish()
            self._kind = kind
            yield self._event("response.content_part.added", part=self._part())
        self._pieces.append(text)
        self._logprobs += logprobs
        if kind == "refusal":
            yield self._event("response.refusal.delta", delta=text)
        else:
            yield self._event("response.output_text.delta", delta=text, logprobs=logprobs)

    def finish(self) -> Iterator[Fields]:
        if self._kind is None:
            return
        part = self._part()
        if self._kind == "refusal":
            yield self._event("response.refusal.done", refusal=part["refusal"])
        else:
            yield self._event("response.output_text.done", text=part["text"], logprobs=part["logprobs"])
        yield self._event("response.content_part.done", part=part)
        self._parts.append(part)
        self._kind, self._pieces, self._logprobs = None, [], []

    def _part(self) -> Fields:
        text = "".join(self._pieces)
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": EMPTY, "logprobs": list(self._logprobs)}

    def _event(self, type: str, **fields: Any) -> Fields:
        return {
            "type": type,
            "item_id": self.id,
            "output_index": self.index,
            "content_index": len(self._parts),
            **fields,
        }


class Thought:
    """What a model thought as a summary of one part, or a proof alone."""

    def __init__(self, index: int, stem: str, proof: str = "") -> None:
        self.index = index
        self.id = f"rs_{stem}"
        self.proof = proof
        self._pieces: list[str] = []
        self._summary: list[Fields] = []

    def told(self, status: Status) -> Fields:
        told = {"id": self.id, "type": "reasoning", "summary": self._summary}
        return {**told, "encrypted_content": self.proof} if self.proof else told

    def think(self, text: str) -> Iterator[Fields]:
        if not self._pieces:
            yield self._event("response.reasoning_summary_part.added", part={"type": "summary_text", "text": ""})
        self._pieces.append(text)
        yield self._event("response.reasoning_summary_text.delta", delta=text)

    def finish(self) -> Iterator[Fields]:
        if self._pieces:
            part = {"type": "summary_text", "text": "".join(self._pieces)}
            yield self._event("response.reasoning_summary_text.done", text=part["text"])
            yield self._event("response.reasoning_summary_part.done", part=part)
            self._summary = [part]

    def _event(self, type: str, **fields: Any) -> Fields:
        return {"type": type, "item_id": self.id, "output_index": self.index, "summary_index": 0, **fields}


class Call:
    def __init__(self, index: int, stem: str, started: ToolCallStarted) -> None:
        self.index = index
        self.id = f"fc_{stem}"
        self._call_id = started.id or f"call_{stem}"
        self._name = started.name
        self._pieces: list[str] = []

    def told(self, status: Status) -> Fields:
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "arguments": "".join(self._pieces),
            "call_id": self._call_id,
            "name": self._name,
        }

    def argue(self, arguments: str) -> Iterator[Fields]:
        self._pieces.append(arguments)
        yield self._event("response.function_call_arguments.delta", delta=arguments)

    def finish(self) -> Iterator[Fields]:
        arguments = "".join(self._pieces)
        yield self._event("response.function_call_arguments.done", name=self._name, arguments=arguments)

    def _event(self, type: str, **fields: Any) -> Fields:
        return {"type": type, "item_id": self.id, "output_index": self.index, **fields}


Item = Words | Thought | Call


class Output:
    """`stem` tells this response's items from those of others."""

    def __init__(self, stem: str) -> None:
        self._stem = stem
        self._live: Words | Thought | None = None
        self._calls: dict[int, Call] = {}
        self._done: dict[int, Fields] = {}
        self._count = 0

    def items(self) -> list[Fields]:
        return [self._done[index] for index in sorted(self._done)]

    def say(self, kind: Kind, text: str, logprobs: list[msgspec.Raw]) -> Iterator[Fields]:
        if not (text or logprobs):
            return
        if not isinstance(self._live, Words):
            yield from self._leave()
            self._live = Words(*self._place())
            yield added(self._live)
        yield from self._live.say(kind, text, logprobs)

    def think(self, text: str, proof: str) -> Iterator[Fields]:
        """A proof ends the thought."""
        if not (text or proof):
            return
        if not isinstance(self._live, Thought):
            yield from self._leave()
            self._live = Thought(*self._place())
            yield added(self._live)
        if text:
            yield from self._live.think(text)
        if proof:
            self._live.proof = proof
            yield from self._leave()

    def redact(self, encoded: str) -> Iterator[Fields]:
        yield from self._prove(REDACTED + encoded)

    def call(self, started: ToolCallStarted) -> Iterator[Fields]:
        if started.call in self._calls:
            return
        yield from self._leave()
        if started.signature:
            yield from self._prove(SIGNED_CALL + started.signature)
        call = self._calls[started.call] = Call(*self._place(), started)
        yield added(call)

    def argue(self, number: int, arguments: str) -> Iterator[Fields]:
        call = self._calls.get(number)
        if call is not None and arguments:
            yield from call.argue(arguments)

    def finish(self, last: Status) -> Iterator[Fields]:
        """`last` is the status of the item that the answer ended in."""
        left: list[Item] = [*self._calls.values(), *([self._live] if self._live else [])]
        for item in sorted(left, key=lambda item: item.index):
            yield from self._finished(item, last if item.index == self._count - 1 else "completed")
        self._live = None

    def _prove(self, proof: str) -> Iterator[Fields]:
        """A thought of its own, whatever was thought before."""
        yield from self._leave()
        thought = Thought(*self._place(), proof)
        yield added(thought)
        yield from self._finished(thought, "completed")

    def _leave(self) -> Iterator[Fields]:
        if self._live is not None:
            yield from self._finished(self._live, "completed")
            self._live = None

    def _finished(self, item: Item, status: Status) -> Iterator[Fields]:
        yield from item.finish()
        self._done[item.index] = told = item.told(status)
        yield {"type": "response.output_item.done", "output_index": item.index, "item": told}

    def _place(self) -> tuple[int, str]:
        index = self._count
        self._count += 1
        return index, f"{self._stem}{index:02x}"


def added(item: Item) -> Fields:
    return {"type": "response.output_item.added", "output_index": item.index, "item": item.told("in_progress")}
