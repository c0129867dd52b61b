"""What is known when a route chooses: of the request, and of its targets."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from gateway.routing.auto.classifier import Classified


class Facts(Struct, frozen=True, kw_only=True):
    """Of the request. `input_tokens` is an estimate. `classified` is there for the strategy "auto" alone."""

    tenant_id: UUID
    now: datetime
    input_tokens: int
    max_output_tokens: int | None = None
    session: str = ""
    tags: frozenset[str] = frozenset()
    classified: Classified | None = None


class Vitals(Protocol):
    """Of a target, as measured: `samples` answers; `output_tokens` is the usual length of one, 0 where unknown."""

    @property
    def in_flight(self) -> int: ...

    @property
    def samples(self) -> int: ...

    @property
    def output_tokens(self) -> float: ...

    @property
    def cached_share(self) -> float: ...

    def score(self) -> float:
        """The seconds that one more request would wait for its first chunk."""
        ...


class Measured(Protocol):
    def vitals(self, key: str) -> Vitals: ...
