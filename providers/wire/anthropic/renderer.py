"""An answer as the Messages API streams it (platform.claude.com/docs/en/build-with-claude/streaming).

Blocks come strictly one after the other here, while a provider may mix the arguments of calls that run in parallel: the
first open block is live, what belongs to later ones waits.
"""

import re
from collections import deque
from typing import Final, Literal

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.anthropic.faults import error_event
from providers.wire.anthropic.render import (
    Fields,
    message_fields,
    redacted_block,
    stop_fields,
    text_block,
    thinking_block,
    tool_block,
    usage_fields,
)
from providers.wire.calls import SIGNED_CALL
from providers.wire.neutral import (
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
from providers.wire.shapes import ChatRequest, Usage

MOST_WAITING_BYTES: Final = 16 * 1024 * 1024
SIGNS: Final = re.compile(r'(?s)\\.|["{}\[\]]|\\\Z')

Sort = Literal["text", "refusal", "thinking", "redacted", "tool"]


class Nesting:
    """Follows a JSON object that comes in pieces, to know when it is whole."""

    __slots__ = ("_depth", "_escaped", "_quoted", "whole")

    def __init__(self) -> None:
        self._depth = 0
        self._quoted = False
        self._escaped = ""
        self.whole = False

    def feed(self, text: str) -> None:
        text, self._escaped = self._escaped + text, ""
        for sign in SIGNS.findall(text):
            if sign == '"':
                self._quoted = not self._quoted
            elif sign == "\\":
                self._escaped = sign
            elif not self._quoted and len(sign) == 1:
                self._depth += 1 if sign in "{[" else -1
                self.whole = self.whole or self._depth == 0


class Block:
    """A content block that is open or waits for its turn."""

    __slots__ = ("held", "index", "nesting", "over", "sort", "waiting")

    def __init__(self, sort: Sort, index: int, start: bytes) -> None:
        self.sort = sort
        self.index = index
        self.waiting = [start]
        self.held = len(start)
        self.nesting = Nesting()
        # Nothing more can come, whatever kind of part comes next.
        self.over = False

    @property
    def may_close(self) -> bool:
        """Whether it is done once another block has begun."""
        return self.over or self.sort != "tool" or self.nesting.whole


class MessagesRenderer:
    """Implements `providers.wire.ports.Renderer`."""

    def __init__(self, request: ChatRequest, limit: int = MOST_WAITING_BYTES) -> None:
        self._id = ""
        self._model = request.model
        self._limit = limit
        self._usage: Usage | None = None
        self._finished: Finished | None = None
        self._begun = False
        self._closed = False
        self._blocks: deque[Block] = deque()
        self._calls: dict[int, Block] = {}
        self._count = 0
        self._held = 0
        self._written: list[bytes] = []

    def render(self, events: list[Event]) -> bytes:
        for event in events:
            if self._closed:
                break
            if getattr(event, "choice", 0) == 0:
                self._take(event)
        return self._flush()

    def end(self) -> bytes:
        if self._finished is not None:
            self._close()
        return self._flush()

    def _flush(self) -> bytes:
        written = b"".join(self._written)
        self._written.clear()
        return written

    def _take(self, event: Event) -> None:
        match event:
            case TextDelta():
                self._say("text", {"type": "text_delta", "text": event.text}, event.text)
            case ToolCallDelta():
                self._argue(event)
            case ToolCallStarted():
                self._call(event)
            case ThinkingDelta():
                self._think(event.text, event.signature)
            case ThinkingRedacted():
                self._add("redacted", redacted_block(event.encoded))
            case RefusalDelta():
                self._say("refusal", {"type": "text_delta", "text": event.text}, event.text)
            case _:
                self._note(event)

    def _note(self, event: Event) -> None:
        """What is told about the answer, and no part of it."""
        match event:
            case Started():
                self._id = event.id
                self._model = event.model or self._model
            case Used():
                self._usage = event.usage
            case Finished():
                self._finished = event
            case Failed():
                self._closed = True
            case Ended():
                self._close()

    def _say(self, sort: Sort, delta: Fields, said: str) -> None:
        if said:
            start = thinking_block("", "") if sort == "thinking" else text_block("")
            self._write_delta(self._last_of(sort) or self._add(sort, start), delta)

    def _think(self, text: str, signature: str) -> None:
        self._say("thinking", {"type": "thinking_delta", "thinking": text}, text)
        self._say("thinking", {"type": "signature_delta", "signature": signature}, signature)
        if signature:
            self._blocks[-1].over = True

    def _call(self, event: ToolCallStarted) -> None:
        if event.call in self._calls:
            return
        if event.signature:
            self._prove(SIGNED_CALL + event.signature)
        self._calls[event.call] = self._add("tool", tool_block(event.id, event.name, {}))

    def _prove(self, signature: str) -> None:
        """A thought of its own, whatever was thought before."""
        block = self._add("thinking", thinking_block("", ""))
        self._write_delta(block, {"type": "signature_delta", "signature": signature})

    def _argue(self, event: ToolCallDelta) -> None:
        block = self._calls.get(event.call)
        if block is None or not event.arguments or block.over:
            return
        block.nesting.feed(event.arguments)
        self._write_delta(block, {"type": "input_json_delta", "partial_json": event.arguments})
        self._advance()

    def _last_of(self, sort: Sort) -> Block | None:
        """The newest block, if deltas of this sort still belong to it."""
        last = self._blocks[-1] if self._blocks else None
        return last if last is not None and last.sort == sort and not last.over else None

    def _add(self, sort: Sort, content: Fields) -> Block:
        start = {"type": "content_block_start", "index": self._count, "content_block": content}
        block = Block(sort, self._count, sse(start))
        self._count += 1
        self._held += block.held
        self._blocks.append(block)
        if len(self._blocks) == 1:
            self._open(block)
        else:
            self._keep_within_limit()
            self._advance()
        return block

    def _write_delta(self, block: Block, delta: Fields) -> None:
        written = sse({"type": "content_block_delta", "index": block.index, "delta": delta})
        if block is self._blocks[0]:
            self._written.append(written)
        else:
            block.waiting.append(written)
            block.held += len(written)
            self._held += len(written)
            self._keep_within_limit()

    def _keep_within_limit(self) -> None:
        """Beyond it the stream ends with an error: to leave something out would be a lie."""
        if self._held > self._limit:
            self._closed = True
            self._written.append(error_event(UpstreamGarbled("The provider mixed too much of its answer.")))

    def _advance(self) -> None:
        """Closes the live block if it is done and a later one has begun, and so on."""
        while not self._closed and len(self._blocks) > 1 and self._blocks[0].may_close:
            self._stop()
            self._open(self._blocks[0])

    def _open(self, block: Block) -> None:
        self._begin()
        self._written += block.waiting
        self._held -= block.held
        block.waiting.clear()

    def _stop(self) -> None:
        block = self._blocks.popleft()
        block.over = True
        self._written.append(sse({"type": "content_block_stop", "index": block.index}))

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            message = message_fields(self._id, self._model, self._usage)
            self._written.append(sse({"type": "message_start", "message": message}))

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._begin()
        while self._blocks:
            self._stop()
            if self._blocks:
                self._open(self._blocks[0])
        finish: Finish = self._finished.finish if self._finished else "stop"
        stop_sequence = self._finished.stop_sequence if self._finished else ""
        delta = stop_fields(finish, stop_sequence, called=bool(self._calls))
        usage = usage_fields(self._usage) if self._usage else {"output_tokens": 0}
        self._written.append(sse({"type": "message_delta", "delta": delta, "usage": usage}))
        self._written.append(sse({"type": "message_stop"}))


def sse(fields: Fields) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (fields["type"].encode(), msgspec.json.encode(fields))
