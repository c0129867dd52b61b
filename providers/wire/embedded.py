"""Embeddings in OpenAI's words from a provider that has an API of its own
(platform.openai.com/docs/api-reference/embeddings)."""

import base64
import struct
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from common.errors import InvalidRequest, OrchestratorError, UpstreamGarbled
from providers.wire.ports import Wire
from providers.wire.shapes import ChatRequest, Chunk, Dialect, StreamParser, Target, UpstreamRequest, Usage

MOST_INPUTS: Final = 2048
KNOWN: Final = frozenset({"model", "input", "dimensions", "encoding_format", "user"})


class Embedder(Protocol):
    """A module of a wire."""

    def build_embeddings(self, inputs: tuple[str, ...], dimensions: int | None, target: Target) -> UpstreamRequest: ...

    def read_embeddings(self, body: bytes, expected: int) -> tuple[list[list[float]], Usage]: ...


class EmbeddingRequest(msgspec.Struct):
    input: str | list[str]
    dimensions: int | None = None
    encoding_format: str | None = None


class Vector(msgspec.Struct):
    index: int
    embedding: list[float] | str
    object: str = "embedding"


class Spent(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int


class Vectors(msgspec.Struct):
    data: list[Vector]  # the field's name in OpenAI's format
    model: str
    usage: Spent
    object: str = "list"


class Embedded:
    """One request for embeddings, as a wire of four functions."""

    def __init__(self, request: ChatRequest, wire: Wire, embedder: Embedder) -> None:
        self.name = wire.name
        self._wire = wire
        self._embedder = embedder
        self._model = request.model
        self._asked = asked_of(request)
        self._inputs = inputs_of(self._asked)

    def build_request(self, request: ChatRequest, target: Target) -> UpstreamRequest:
        return self._embedder.build_embeddings(self._inputs, self._asked.dimensions, target)

    def parse_response(self, body: bytes, dialect: Dialect = "embeddings") -> Chunk:
        vectors, usage = self._embedder.read_embeddings(body, len(self._inputs))
        shown = packed if self._asked.encoding_format == "base64" else list
        answer = Vectors(
            data=[Vector(index, shown(vector)) for index, vector in enumerate(vectors)],
            model=self._model,
            usage=Spent(usage.input_tokens, usage.input_tokens),
        )
        reported = usage if usage.input_tokens else None
        return Chunk(raw=msgspec.json.encode(answer), usage=reported, finished=True, done=True)

    def parse_stream(self, request: ChatRequest) -> StreamParser:
        raise InvalidRequest("Embeddings are not streamed.", param="stream")

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> OrchestratorError:
        return self._wire.parse_error(status, headers, body)


def asked_of(request: ChatRequest) -> EmbeddingRequest:
    if unknown := sorted(set(request.fields) - KNOWN):
        raise InvalidRequest(
            f"'{unknown[0]}' cannot be expressed to this model.", param=unknown[0], code="unsupported_parameter"
        )
    try:
        return msgspec.convert(
            {name: msgspec.json.decode(raw) for name, raw in request.fields.items()}, type=EmbeddingRequest
        )
    except msgspec.ValidationError as error:
        field = "input" if "input" in str(error) else "dimensions" if "dimensions" in str(error) else "encoding_format"
        raise InvalidRequest(
            f"Invalid '{field}': this model takes a text or a list of texts, a whole number of dimensions, and the "
            "encoding_format float or base64.",
            param=field,
            code="invalid_type",
        ) from None


def inputs_of(asked: EmbeddingRequest) -> tuple[str, ...]:
    inputs = (asked.input,) if isinstance(asked.input, str) else tuple(asked.input)
    if not 1 <= len(inputs) <= MOST_INPUTS:
        raise InvalidRequest(f"'input' must hold 1 to {MOST_INPUTS} texts.", param="input")
    if asked.dimensions is not None and asked.dimensions < 1:
        raise InvalidRequest("'dimensions' must be at least 1.", param="dimensions", code="integer_out_of_range")
    if asked.encoding_format not in (None, "float", "base64"):
        raise InvalidRequest("'encoding_format' must be float or base64.", param="encoding_format")
    return inputs


def packed(vector: list[float]) -> str:
    """Little-endian 32-bit floats in base64, which the official SDK asks for. Raises UpstreamGarbled."""
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError:
        raise UpstreamGarbled("The provider sent an embedding of numbers beyond 32 bits.") from None
