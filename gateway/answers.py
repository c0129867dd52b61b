"""An answer under way, wherever it comes from."""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from gateway.calls import Caller
from gateway.deciding import Deciding
from providers.wire.shapes import Chunk


class Source(Protocol):
    """Gives lists of chunks; an answer that is not streamed is a single chunk."""

    content_type: bytes
    dropped: tuple[str, ...]
    """The fields of the request that were left out."""

    @property
    def answered_by(self) -> str:
        """ "provider/model"."""
        ...

    def __aiter__(self) -> AsyncIterator[list[Chunk]]: ...


class Answer(NamedTuple):
    caller: Caller
    source: Source
    deciding: Deciding
