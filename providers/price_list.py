"""What vendors charge for chat, read from the committed extract of genai-prices.

genai-prices (github.com/pydantic/genai-prices) is pinned and never updates itself. Importing it costs a process 40 MB
and most of a second, so `manage.py write_price_list` extracts what chat needs into `price_list.json`, one provider a
line, and a test holds the file, and every price read from it, against the installed package.

A rate stands here as nano-USD per million tokens. Where a model prices a part of its tokens that no
chat usage reports (images, video, citations), it has no price here: unpriced is honest, nearly right is not.
"""

import functools
import re
from datetime import date, datetime, time
from pathlib import Path

import msgspec

PATH = Path(__file__).with_name("price_list.json")


class Clause(msgspec.Struct, frozen=True, omit_defaults=True):
    """One test of a model's id; exactly one field is set. Text is compared in lower case."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    any_of: "tuple[Clause, ...] | None" = None
    all_of: "tuple[Clause, ...] | None" = None

    def matches(self, text: str) -> bool:
        if self.any_of is not None:
            return any(clause.matches(text) for clause in self.any_of)
        if self.all_of is not None:
            return all(clause.matches(text) for clause in self.all_of)
        return (
            text == self.equals
            or (self.starts_with is not None and text.startswith(self.starts_with))
            or (self.ends_with is not None and text.endswith(self.ends_with))
            or (self.contains is not None and self.contains in text)
            or (self.regex is not None and re.search(self.regex, text) is not None)
        )


class Rates(msgspec.Struct, frozen=True, omit_defaults=True):
    """Each rate is (above_input_tokens, nano_per_mtok) pairs in rising order, the first above 0.

    Valid from `since` on, or daily within [`daily_from`, `daily_until`) UTC, else always.
    """

    input: tuple[tuple[int, int], ...] = ()
    output: tuple[tuple[int, int], ...] = ()
    cache_read: tuple[tuple[int, int], ...] = ()
    cache_write: tuple[tuple[int, int], ...] = ()
    cache_write_1h: tuple[tuple[int, int], ...] = ()
    input_audio: tuple[tuple[int, int], ...] = ()
    output_audio: tuple[tuple[int, int], ...] = ()
    nano_per_request: int = 0
    since: date | None = None
    daily_from: time | None = None
    daily_until: time | None = None

    def active(self, moment: datetime) -> bool:
        """Whether these rates apply at `moment`, aware in UTC."""
        if self.since is not None:
            return moment.date() >= self.since
        if self.daily_from is not None and self.daily_until is not None:
            now = moment.timetz().replace(tzinfo=None)
            if self.daily_until < self.daily_from:
                return now >= self.daily_from or now < self.daily_until
            return self.daily_from <= now < self.daily_until
        return True


class ListedModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """`rates` empty: the model is known and has no price for chat. Later rates win over earlier ones."""

    id: str
    match: Clause
    rates: tuple[Rates, ...] = ()
    context_window: int | None = None

    def rates_at(self, moment: datetime) -> Rates | None:
        """The last rates active then; where none is, the first."""
        for rates in reversed(self.rates):
            if rates.active(moment):
                return rates
        return self.rates[0] if self.rates else None


class ListedProvider(msgspec.Struct, frozen=True, omit_defaults=True):
    """`fallbacks` are providers whose models this one also offers, at their prices."""

    models: tuple[ListedModel, ...] = ()
    fallbacks: tuple[str, ...] = ()


class PriceList(msgspec.Struct, frozen=True):
    version: str
    providers: dict[str, msgspec.Raw]


def version() -> str:
    """The release of genai-prices that the list was taken from."""
    return price_list().version


def find_model(provider_id: str, model: str) -> ListedModel | None:
    """The entry for a vendor's model id, the provider's own before its fallbacks'."""
    name = model.lower()
    provider = listed_provider(provider_id)
    for models in (provider.models, *(listed_provider(fallback).models for fallback in provider.fallbacks)):
        for listed in models:
            if listed.match.matches(name):
                return listed
    return None


@functools.cache
def price_list() -> PriceList:
    return msgspec.json.decode(PATH.read_bytes(), type=PriceList)


@functools.lru_cache(maxsize=64)
def listed_provider(provider_id: str) -> ListedProvider:
    """Only the providers in use are ever decoded."""
    raw = price_list().providers.get(provider_id)
    return ListedProvider() if raw is None else msgspec.json.decode(raw, type=ListedProvider)
