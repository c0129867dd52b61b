"""What is counted and summed, and how a question about it is put."""

import operator
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import reduce
from typing import Final, Self
from uuid import UUID


class Dimension(StrEnum):
    """By what sums are grouped. A model is "provider/model"; an answer from a cache has the name its caller used."""

    MODEL = "model"
    PROVIDER = "provider"
    API_KEY = "api_key"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over settlements and their corrections. Money in nano-USD.

    `requests` counts those that reached a provider: one that failed over to another model or key counts for each of
    them, and once in a total. `unpriced_requests` have no known cost. `attempts` is how often a provider was asked,
    `errors` how often in vain. `cache_hits` were answered without a provider; `saved_…` is what they would have cost.
    """

    requests: int = 0
    unpriced_requests: int = 0
    attempts: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano: int = 0
    charge_nano: int = 0
    cache_hits: int = 0
    saved_cost_nano: int = 0
    saved_charge_nano: int = 0
    completed: int = 0
    duration_ms: int = 0
    first_chunks: int = 0
    first_chunk_ms: int = 0

    def __add__(self, other: Self) -> "Figures":
        return Figures(*map(operator.add, SUMS_OF(self), SUMS_OF(other)))

    @property
    def latency_ms(self) -> float | None:
        """Of the attempts that succeeded, on average; None without any."""
        return self.duration_ms / self.completed if self.completed else None

    @property
    def time_to_first_chunk_ms(self) -> float | None:
        """Of the streams that succeeded, on average; None without any."""
        return self.first_chunk_ms / self.first_chunks if self.first_chunks else None


SUMS_OF: Final = operator.attrgetter(*(each.name for each in fields(Figures)))


def summed(figures: list[Figures]) -> Figures:
    """Of stretches of time: those of models or providers count a request for each of them."""
    return reduce(Figures.__add__, figures, Figures())


@dataclass(frozen=True, slots=True)
class Only:
    """Which requests count: those with any of the values; an empty list is all."""

    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    api_keys: tuple[UUID, ...] = ()
    users: tuple[UUID, ...] = ()


ANY: Final = Only()


@dataclass(frozen=True, slots=True)
class CostRow:
    """`interval` is the index of a stretch of time. `labels` are of the dimensions asked for, None for unknown."""

    interval: int
    labels: tuple[str | None, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class CostReport:
    """Rows by interval, the dearest first; those that nothing was used in are left out."""

    edges: tuple[datetime, ...]
    dimensions: tuple[Dimension, ...]
    rows: tuple[CostRow, ...]
    total: Figures
