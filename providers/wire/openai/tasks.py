"""What models do besides completions: embeddings, moderations, images, transcriptions, speech, rerank.

Only what routing and metering need is read, on the way in and out; the rest passes.
(platform.openai.com/docs/api-reference; docs.cohere.com/reference/rerank, which Jina and vLLM follow)
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from common.errors import InvalidRequest, UpstreamGarbled
from providers.wire.fields import (
    FLAG,
    MAX_CHOICES,
    missing,
    parse_object,
    read,
    required_model,
    too_deep,
    whole_number,
)
from providers.wire.openai.errors import error_in_answer
from providers.wire.openai.response import number, string
from providers.wire.openai.stream import DONE
from providers.wire.openai.uploads import boundary_of, field_text, read_form
from providers.wire.shapes import ChatRequest, Chunk, Dialect, Usage
from providers.wire.sse import EventStream
from providers.wire.tokens import count

REQUIRED: Mapping[Dialect, tuple[str, ...]] = {
    "embeddings": ("input",),
    "moderations": ("input",),
    "images": ("prompt",),
    "speech": ("input", "voice"),
    "rerank": ("query", "documents"),
}
# Where the vendor's own clients may leave the model out.
USUAL_MODEL: Mapping[Dialect, str] = {"moderations": "omni-moderation-latest"}
TEXTUAL = ("transcriptions",)
TEXT_OR_NONE = msgspec.json.Decoder(str | None)
ENDS = (".done", ".completed")
TRUE = ("true", "1")


def parse_task_request(body: bytes, dialect: Dialect) -> ChatRequest:
    """A request in JSON. Raises InvalidRequest naming the field."""
    try:
        return read_task(body, dialect)
    except RecursionError:
        raise too_deep() from None


def read_task(body: bytes, dialect: Dialect) -> ChatRequest:
    fields = parse_object(body)
    usual = USUAL_MODEL.get(dialect)
    model = usual if usual and "model" not in fields else required_model(fields)
    for name in REQUIRED.get(dialect, ()):
        if name not in fields or bytes(fields[name]) == b"null":
            raise missing(name)
    return ChatRequest(
        model=model,
        stream=streamed(fields, dialect),
        include_usage=True,
        max_output_tokens=None,
        choices=whole_number(fields, "n", most=MAX_CHOICES) or 1,
        fields=fields,
        input_bytes=len(body),
        dialect=dialect,
    )


def streamed(fields: Mapping[str, msgspec.Raw], dialect: Dialect) -> bool:
    """Speech is its own bytes, and comes whole, unless events are asked for."""
    if dialect == "speech":
        return bool(read(fields, "stream_format", TEXT_OR_NONE, "a string") == "sse")
    return bool(read(fields, "stream", FLAG, "true or false"))


def parse_upload(body: bytes, content_type: str, dialect: Dialect = "transcriptions") -> ChatRequest:
    """A request in a form with a `file`. Raises InvalidRequest naming the field."""
    parts = read_form(body, boundary_of(content_type))
    if not any(part.name == "file" for part in parts):
        raise missing("file")
    model = field_text(parts, "model")
    if model is None:
        raise missing("model")
    if not model.strip():
        raise InvalidRequest("'model' must not be empty.", param="model")
    return ChatRequest(
        model=model,
        stream=(field_text(parts, "stream") or "").lower() in TRUE,
        include_usage=True,
        max_output_tokens=None,
        choices=1,
        fields={},
        input_bytes=len(body),
        dialect=dialect,
        upload=body,
        content_type=content_type,
    )


def parse_task_response(body: bytes, dialect: Dialect) -> Chunk:
    """A whole answer as one finished chunk. Raises UpstreamGarbled where JSON was due and nothing like it came, and
    the error in an answer that carries one."""
    if dialect == "speech":
        return Chunk(raw=body, finished=True, done=True)
    try:
        loose = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if dialect not in TEXTUAL:
            raise UpstreamGarbled("The provider sent something that is not JSON.") from None
        return Chunk(raw=body, text=body.decode(errors="replace"), finished=True, done=True)
    if not isinstance(loose, dict):
        return Chunk(raw=body, finished=True, done=True)
    if failure := loose.get("error"):
        raise error_in_answer(msgspec.Raw(msgspec.json.encode(failure))) or UpstreamGarbled("The provider failed.")
    return Chunk(
        raw=body,
        text=string(loose.get("text")) or "",
        model=string(loose.get("model")),
        usage=task_usage(loose),
        finished=True,
        done=True,
    )


def task_usage(loose: dict[str, Any]) -> Usage | None:
    """Tokens, under the names of whichever API; None where the vendor counts something else or nothing."""
    meta = inner(loose, "meta")
    for reported in (inner(loose, "usage"), inner(meta, "tokens"), inner(meta, "billed_units")):
        taken = first_number(reported, "input_tokens", "prompt_tokens")
        given = first_number(reported, "output_tokens", "completion_tokens")
        if taken is None and given is None:
            taken = first_number(reported, "total_tokens")
        if taken is not None or given is not None:
            return with_details(reported, count(taken), count(given))
    return None


def with_details(reported: dict[str, Any], taken: int, given: int) -> Usage:
    details = (
        inner(reported, "input_token_details")
        or inner(reported, "input_tokens_details")
        or inner(reported, "prompt_tokens_details")
    )
    cached = min(count(number(details.get("cached_tokens"))), taken)
    return Usage(
        input_tokens=taken,
        output_tokens=given,
        cache_read_tokens=cached,
        input_audio_tokens=min(count(number(details.get("audio_tokens"))), taken - cached),
    )


def inner(loose: dict[str, Any], name: str) -> dict[str, Any]:
    found = loose.get(name)
    return found if isinstance(found, dict) else {}


def first_number(loose: dict[str, Any], *names: str) -> int | None:
    return next((found for name in names if (found := number(loose.get(name))) is not None), None)


class TaskStream(EventStream[Chunk]):
    """Events such as `transcript.text.delta` and `image_generation.completed`."""

    _finished = False

    def _garbled(self, raw: bytes, error: UpstreamGarbled) -> Chunk:
        return Chunk(raw=raw, error=error)

    def _read(self, raw: bytes, kind: bytes, payload: bytes) -> Chunk:
        word = payload.strip() if len(payload) < 32 else payload
        if word == DONE:
            return Chunk(raw=raw, finished=self._finished, done=True)
        if not word:
            return Chunk(raw=raw, finished=self._finished)
        try:
            loose = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            loose = None
        if not isinstance(loose, dict):
            error = UpstreamGarbled("The provider sent an event that is not a JSON object.")
            return Chunk(raw=raw, error=error, finished=self._finished)
        return self._event_chunk(raw, kind, loose)

    def _event_chunk(self, raw: bytes, kind: bytes, loose: dict[str, Any]) -> Chunk:
        name = string(loose.get("type")) or kind.decode(errors="replace")
        failure = loose.get("error") or (loose if name == "error" else None)
        self._finished = self._finished or name.endswith(ENDS)
        return Chunk(
            raw=raw,
            text=string(loose.get("delta")) or "",
            model=string(loose.get("model")),
            usage=task_usage(loose),
            error=None if failure is None else error_in_answer(msgspec.Raw(msgspec.json.encode(failure))),
            finished=self._finished,
        )
