"""Embeddings by /api/embed (docs.ollama.com/api/embed)."""

import msgspec

from common.errors import UpstreamGarbled
from providers.wire.endpoints import path_of, url_of
from providers.wire.ollama.errors import broken_off
from providers.wire.shapes import Target, UpstreamRequest, Usage
from providers.wire.tokens import count

PATH = "/api/embed"


class Embedded(msgspec.Struct):
    embeddings: list[list[float]] | None = None
    prompt_eval_count: int | None = None
    error: msgspec.Raw = msgspec.Raw()


def build_embeddings(inputs: tuple[str, ...], dimensions: int | None, target: Target) -> UpstreamRequest:
    """An input that is too long is refused, not cut: its vector would be that of another text."""
    body: dict[str, object] = {"model": target.model, "input": inputs, "truncate": False}
    if dimensions is not None:
        body["dimensions"] = dimensions
    url = url_of(target, path_of(target, "embeddings", PATH))
    return UpstreamRequest(url=url, headers=target.headers, body=msgspec.json.encode(body), stream=False)


def read_embeddings(body: bytes, expected: int) -> tuple[list[list[float]], Usage]:
    """One vector for each of `expected` inputs, in their order. Raises UpstreamGarbled for anything else."""
    try:
        answer = msgspec.json.decode(body, type=Embedded)
        failure = broken_off(answer.error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamGarbled("The provider sent something that is no answer of Ollama's.") from None
    if failure is not None:
        raise failure
    vectors = answer.embeddings or []
    if len(vectors) != expected:
        raise UpstreamGarbled(f"The provider sent {len(vectors)} embeddings for {expected} inputs.")
    return vectors, Usage(input_tokens=count(answer.prompt_eval_count))
