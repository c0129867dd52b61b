"""An answer that has ended, read into what is kept of it; most are kept, those that are not whole never."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from common.errors import OrchestratorError
from gateway.cache.stored import Stored
from providers.wire.assembly import answer_of
from providers.wire.faithful import says_more
from providers.wire.neutral import Answer, Event, Failed, Refusal
from providers.wire.openai.adapter import TASKS
from providers.wire.ports import Wire
from providers.wire.registry import SPEECHES, has_completions, spoken, wire_of
from providers.wire.shapes import ChatRequest, Target, Usage

WHOLE: Final = ("stop", "stop_sequence", "tool_calls")
# Of a stream's bytes that are read in one go, some 0.3 ms; then others have their turn.
BYTES_AT_ONCE: Final = 8192


class Heard(msgspec.Struct, frozen=True):
    """A completed attempt: what `target` sent to answer `request`, as it came in, and what that took.

    `streamed` says whether the provider sent a stream, whatever the caller gets. `content_type` is the caller's.
    """

    request: ChatRequest
    target: Target
    pieces: Sequence[bytes]
    streamed: bool
    usage: Usage
    cost_nano: int
    charge_nano: int
    content_type: str = "application/json"


async def stored_of(heard: Heard, *, now: int) -> Stored | None:
    """What is kept, at `now` in Unix seconds. None for an answer that is not whole (cut at its limit, refused,
    filtered), or of which not everything could be given again."""
    try:
        if heard.request.dialect in TASKS:
            return kept(heard, now, body=body_of(heard))
        answer = await answer_in(heard)
    except (OrchestratorError, KeyError):
        return None
    if answer is None or not is_whole(answer, heard.request.choices):
        return None
    return kept(heard, now, answer=answer)


def kept(heard: Heard, now: int, *, answer: Answer | None = None, body: bytes = b"") -> Stored:
    return Stored(
        provider=heard.target.provider,
        model=heard.target.model,
        usage=heard.usage,
        cost_nano=heard.cost_nano,
        charge_nano=heard.charge_nano,
        stored_at=now,
        answer=answer,
        body=body,
        content_type=heard.content_type,
    )


def body_of(heard: Heard) -> bytes:
    """As the caller got it, which need not be as the provider sent it."""
    received = b"".join(heard.pieces)
    if heard.streamed:
        return received
    return spoken(heard.request, heard.target).parse_response(received, heard.request.dialect).raw


async def answer_in(heard: Heard) -> Answer | None:
    wire, dialect = wire_of(heard.target), heard.request.dialect
    verbatim = dialect in wire.native
    if dialect == "completions" and verbatim:
        if has_completions(heard.target):
            # The legacy shape has no reader: nearly everyone who serves it now serves it as chat.
            return None
        verbatim = False
    if heard.streamed:
        return await streamed_answer(heard, wire, verbatim=verbatim)
    received = b"".join(heard.pieces)
    if verbatim and says_more(dialect, received, stream=False):
        return None
    return wire.read_answer(received)


async def streamed_answer(heard: Heard, wire: Wire, *, verbatim: bool) -> Answer | None:
    parser = wire.read_stream(SPEECHES[heard.request.dialect].prompt_of(heard.request))
    events: list[Event] = []
    async for lines in slices(heard.pieces):
        if verbatim and says_more(heard.request.dialect, lines, stream=True):
            return None
        events += parser.feed(lines)
    events += parser.close()
    return None if any(isinstance(event, Failed) for event in events) else answer_of(events)


async def slices(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in whole lines, a few at a time."""
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        begun.append(piece)
        size += len(piece)
        if size >= BYTES_AT_ONCE and b"\n" in piece:
            lines, _, rest = b"".join(begun).rpartition(b"\n")
            yield lines + b"\n"
            begun, size = [rest], len(rest)
            await asyncio.sleep(0)
    yield b"".join(begun)


def is_whole(answer: Answer, choices: int) -> bool:
    return len(answer.choices) >= choices and all(
        choice.finish in WHOLE and choice.parts and not any(isinstance(part, Refusal) for part in choice.parts)
        for choice in answer.choices
    )
