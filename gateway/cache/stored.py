"""What is kept of an answer, and how it is said again.

Written as one line of JSON (parts of an answer are JSON text already), and after it the bytes of an answer that is no
conversation: embeddings, speech, ….
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from providers.wire.assembly import events_of
from providers.wire.neutral import Answer
from providers.wire.registry import SPEECHES
from providers.wire.shapes import ChatRequest, Chunk, Usage
from providers.wire.translated import chunk_of


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """Either `answer`, or its bytes in `body` with their `content_type`.

    `provider` and `model` answered, under the vendor's name for the model; `usage`, `cost_nano` and `charge_nano` are
    what that took, in nano-USD, and what a hit saves. `stored_at` in Unix seconds.
    """

    provider: str
    model: str
    usage: Usage
    cost_nano: int
    charge_nano: int
    stored_at: int
    answer: Answer | None = None
    body: bytes = b""
    content_type: str = "application/json"


class Line(msgspec.Struct, frozen=True):
    """`logprobs` are those of the answer's choices: an optional field cannot be read as JSON text."""

    stored: Stored
    logprobs: tuple[msgspec.Raw, ...] = ()


ENCODE: Final = msgspec.json.Encoder().encode
DECODE: Final = msgspec.json.Decoder(Line).decode
NONE: Final = msgspec.Raw(b"null")


def written(stored: Stored) -> bytes:
    replace, answer = msgspec.structs.replace, stored.answer
    if answer is None or all(choice.logprobs is None for choice in answer.choices):
        line = Line(replace(stored, body=b""))
    else:
        logprobs = tuple(NONE if choice.logprobs is None else choice.logprobs for choice in answer.choices)
        without = replace(answer, choices=tuple(replace(choice, logprobs=None) for choice in answer.choices))
        line = Line(replace(stored, body=b"", answer=without), logprobs)
    return ENCODE(line) + b"\n" + stored.body


def read(kept: bytes) -> Stored | None:
    """None for what another release wrote in another way."""
    text, _, body = kept.partition(b"\n")
    try:
        line = DECODE(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    stored = line.stored
    if line.logprobs and stored.answer is not None:
        stored = msgspec.structs.replace(stored, answer=with_logprobs(stored.answer, line.logprobs))
    return msgspec.structs.replace(stored, body=body) if body else stored


def with_logprobs(answer: Answer, logprobs: Sequence[msgspec.Raw]) -> Answer:
    choices = (
        msgspec.structs.replace(choice, logprobs=None if raw == NONE else raw)
        for choice, raw in zip(answer.choices, logprobs, strict=True)
    )
    return msgspec.structs.replace(answer, choices=tuple(choices))


def chunks_of(stored: Stored, request: ChatRequest) -> list[Chunk]:
    """The whole answer in the caller's dialect as one chunk, all of a stream's events in it if a stream was asked for.

    Ids and times are new, as they would be for an answer that was made now.
    """
    if stored.answer is None:
        return [Chunk(raw=stored.body, model=stored.model, usage=stored.usage, finished=True, done=True)]
    answer = msgspec.structs.replace(stored.answer, id="", created=0)
    speech = SPEECHES[request.dialect]
    events = list(events_of(answer))
    if request.stream:
        renderer = speech.renderer(request)
        raw = renderer.render(events) + renderer.end()
    else:
        raw = speech.render_answer(answer, request)
    return [chunk_of(raw, events, finished=True, done=True)]
