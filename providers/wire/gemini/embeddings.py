"""Embeddings by batchEmbedContents (ai.google.dev/api/embeddings)."""

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.endpoints import path_of, url_of
from providers.wire.gemini.errors import broken_off
from providers.wire.gemini.shapes import Shape
from providers.wire.shapes import Target, UpstreamRequest, Usage
from providers.wire.tokens import count

PATH = "/models/{model}:batchEmbedContents"


class Vector(Shape):
    values: list[float]


class Tokens(Shape):
    prompt_token_count: int | None = None


class Embedded(Shape):
    embeddings: list[Vector] | None = None
    usage_metadata: Tokens | None = None
    error: msgspec.Raw = msgspec.Raw()


def build_embeddings(inputs: tuple[str, ...], dimensions: int | None, target: Target) -> UpstreamRequest:
    model = target.model.removeprefix("models/")
    common: dict[str, object] = {"model": f"models/{model}"}
    if dimensions is not None:
        common["outputDimensionality"] = dimensions
    requests = [{**common, "content": {"parts": [{"text": text}]}} for text in inputs]
    path = path_of(msgspec.structs.replace(target, model=model), "embeddings", PATH)
    body = msgspec.json.encode({"requests": requests})
    return UpstreamRequest(url=url_of(target, path), headers=target.headers, body=body, stream=False)


def read_embeddings(body: bytes, expected: int) -> tuple[list[list[float]], Usage]:
    """One vector for each of `expected` inputs, in their order. Raises UpstreamGarbled for anything else.

    Older models report no usage: all zero then.
    """
    try:
        answer = msgspec.json.decode(body, type=Embedded)
        failure = broken_off(answer.error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamGarbled("The provider sent something that is no answer of Gemini's.") from None
    if failure is not None:
        raise failure
    vectors = [vector.values for vector in answer.embeddings or ()]
    if len(vectors) != expected:
        raise UpstreamGarbled(f"The provider sent {len(vectors)} embeddings for {expected} inputs.")
    reported = answer.usage_metadata or Tokens()
    return vectors, Usage(input_tokens=count(reported.prompt_token_count))
