"""Choosing among model cards by what a caller asks for. Pure: text in, cards out."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from common.errors import InvalidRequest
from providers.catalogue import ModelCard
from providers.modalities import MODALITIES

FILTERS: Final = ("provider", "modality", "capability", "min_context", "max_input_price", "max_output_price")
NANO_PER_USD: Final = 10**9
LONGEST_NUMBER: Final = 20
MOST_VALUES: Final = 20


class CardFilter(msgspec.Struct, frozen=True):
    """What a card must have. Of `providers` one is enough; modalities and capabilities are needed all. Prices in
    nano-USD per million tokens: a card that shows none is above any of them, as one without a context window is below.
    """

    providers: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    min_context: int = 0
    max_input: int | None = None
    max_output: int | None = None

    def chosen(self, cards: Iterable[ModelCard]) -> list[ModelCard]:
        return [card for card in cards if self.matches(card)]

    def matches(self, card: ModelCard) -> bool:
        return (
            (not self.providers or card.provider in self.providers)
            and self.modalities.issubset(card.modalities)
            and self.capabilities.issubset(card.capabilities)
            and (card.context_window or 0) >= self.min_context
            and self.affordable(card)
        )

    def affordable(self, card: ModelCard) -> bool:
        if self.max_input is None and self.max_output is None:
            return True
        price = card.pricing
        return price is not None and not (
            (self.max_input is not None and price.input.nano_usd_per_mtok > self.max_input)
            or (self.max_output is not None and price.output.nano_usd_per_mtok > self.max_output)
        )


def parse_filter(query: Mapping[str, Sequence[str]]) -> CardFilter:
    """From the values of each parameter; lists are separated by commas or repeated. Raises InvalidRequest naming it."""
    return CardFilter(
        providers=words(query, "provider"),
        modalities=modalities(query),
        capabilities=words(query, "capability"),
        min_context=whole_number(query, "min_context") or 0,
        max_input=nano_price(query, "max_input_price"),
        max_output=nano_price(query, "max_output_price"),
    )


def refuse_unknown(query: Iterable[str], known: Sequence[str]) -> None:
    """Raises InvalidRequest for a parameter that means nothing: a filter misspelt would choose everything."""
    if unknown := sorted(set(query) - set(known)):
        name = unknown[0][:50]
        raise InvalidRequest(f"Unknown parameter {name}. There are {', '.join(known)}.", param=name)


def words(query: Mapping[str, Sequence[str]], name: str) -> frozenset[str]:
    found = [word.strip() for text in query.get(name, ()) for word in text.split(",")]
    if "" in found or len(found) > MOST_VALUES:
        raise InvalidRequest(f"{name} takes 1 to {MOST_VALUES} words, separated by commas.", param=name)
    return frozenset(found)


def modalities(query: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found = words(query, "modality")
    if not found.issubset(MODALITIES):
        raise InvalidRequest(f"modality must be one of {', '.join(MODALITIES)}.", param="modality")
    return found


def single(query: Mapping[str, Sequence[str]], name: str) -> str | None:
    """Raises InvalidRequest for a parameter that is there twice."""
    given = query.get(name, ())
    if len(given) > 1:
        raise InvalidRequest(f"{name} may be given once.", param=name)
    return given[0] if given else None


def whole_number(query: Mapping[str, Sequence[str]], name: str, *, most: int = 10**12, least: int = 0) -> int | None:
    text = single(query, name)
    if text is None:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else -1
    if not least <= number <= most:
        raise InvalidRequest(f"{name} must be a whole number from {least} to {most}.", param=name)
    return number


def nano_price(query: Mapping[str, Sequence[str]], name: str) -> int | None:
    """USD per million tokens, as nano-USD."""
    text = single(query, name)
    if text is None:
        return None
    try:
        usd = Decimal(text if len(text) <= LONGEST_NUMBER else "none")
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or not 0 <= usd <= 10**6:
        raise InvalidRequest(f"{name} must be USD per million tokens, such as 2.50.", param=name)
    return int(usd * NANO_PER_USD)
