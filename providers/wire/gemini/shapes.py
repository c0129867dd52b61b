"""What generateContent answers, whole or as an event of a stream (ai.google.dev/api/generate-content#response-body).

What is left out holds nothing that a caller of another dialect could be told: citations, ratings, grounding.
"""

import msgspec

from common.errors import UpstreamError, UpstreamGarbled
from providers.wire.gemini.errors import broken_off
from providers.wire.lenient import read_as


class Shape(msgspec.Struct, rename="camel", gc=False):
    """JSON in Google's camelCase, where every field may be missing."""


class Blob(Shape):
    mime_type: str = ""
    encoded: str = msgspec.field(default="", name="data")


class FunctionCall(Shape):
    id: str | None = None
    name: str = ""
    args: msgspec.Raw = msgspec.Raw()


class Part(Shape):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None


class Content(Shape):
    parts: list[Part] | None = None


class Token(Shape):
    token: str = ""
    log_probability: float = 0.0


class TopTokens(Shape):
    candidates: list[Token] | None = None


class Logprobs(Shape):
    chosen_candidates: list[Token] | None = None
    top_candidates: list[TopTokens] | None = None


class Candidate(Shape):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None
    logprobs_result: Logprobs | None = None


class Feedback(Shape):
    block_reason: str | None = None


class ModalityCount(Shape):
    modality: str = ""
    token_count: int | None = None


class UsageMetadata(Shape):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    prompt_tokens_details: list[ModalityCount] | None = None
    cache_tokens_details: list[ModalityCount] | None = None
    candidates_tokens_details: list[ModalityCount] | None = None


class Reply(Shape):
    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None
    error: msgspec.Raw = msgspec.Raw()


REPLY = msgspec.json.Decoder(Reply)
ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def read_reply(encoded: bytes) -> Reply:
    """Raises UpstreamGarbled for bytes that are no reply, and the error that one carries."""
    reply = read_as(REPLY, first_of(encoded) if encoded.startswith(b"[") else encoded)
    if reply.error and (failure := failure_in(reply.error)) is not None:
        raise failure
    return reply


def first_of(encoded: bytes) -> bytes:
    """Without `alt=sse` a stream is one array, and so is what breaks it off. Raises UpstreamGarbled for no array."""
    try:
        items = ITEMS.decode(encoded)
    except (msgspec.DecodeError, RecursionError):
        raise garbled() from None
    return bytes(items[0]) if items else b"{}"


def failure_in(error: msgspec.Raw) -> UpstreamError | None:
    try:
        return broken_off(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise garbled() from None


def garbled() -> UpstreamGarbled:
    return UpstreamGarbled("The provider sent something that is no answer of Gemini's.")
