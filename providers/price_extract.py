"""From genai-prices' own shapes to `price_list.json`. Imported by the command and the tests alone."""

from decimal import Decimal
from typing import Any

import genai_prices
import msgspec
from genai_prices import types as listed
from genai_prices.data import providers

from common.money import nano_from_usd
from providers.price_list import Clause, ListedModel, ListedProvider, Rates

RATE_OF_KEY = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
}
# Fees for things that are no tokens of a chat, and parts of parts that a chat's usage never tells apart.
BESIDE_CHAT = {"web_searches_kcount", "storage_searches_kcount", "cache_audio_read_mtok"}


def extract() -> str:
    """The text of the file: JSON with one provider a line, so that a diff of two releases can be read."""
    lines = [
        f"{text(provider.id)}: {text(listed_provider(provider))}" for provider in sorted(providers, key=lambda p: p.id)
    ]
    return f'{{"version": {text(genai_prices.__version__)}, "providers": {{\n' + ",\n".join(lines) + "\n}}\n"


def text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def listed_provider(provider: listed.Provider) -> ListedProvider:
    return ListedProvider(
        models=tuple(listed_model(model) for model in provider.models),
        fallbacks=tuple(provider.fallback_model_providers or ()),
    )


def listed_model(model: listed.ModelInfo) -> ListedModel:
    conditional = model.prices if isinstance(model.prices, list) else [listed.ConditionalPrice(prices=model.prices)]
    return ListedModel(
        id=model.id,
        match=clause(model.match),
        rates=tuple(rates(each) for each in conditional) if all(is_chat(each.prices) for each in conditional) else (),
        context_window=model.context_window,
    )


def is_chat(prices: listed.ModelPrice) -> bool:
    """Priced by input and output tokens, and by nothing that a chat's usage cannot tell."""
    keys = {key for key, value in vars(prices).items() if value is not None}
    return {"input_mtok", "output_mtok"} <= keys <= RATE_OF_KEY.keys() | BESIDE_CHAT | {"requests_kcount"}


def rates(conditional: listed.ConditionalPrice) -> Rates:
    constraint = conditional.constraint
    values: dict[str, Any] = {
        name: tiers(value)
        for key, name in RATE_OF_KEY.items()
        if (value := getattr(conditional.prices, key)) is not None
    }
    thousand_requests = conditional.prices.requests_kcount
    if isinstance(thousand_requests, Decimal):
        values["nano_per_request"] = nano_from_usd(thousand_requests / 1000)
    if isinstance(constraint, listed.StartDateConstraint):
        values["since"] = constraint.start_date
    elif isinstance(constraint, listed.TimeOfDateConstraint):
        values["daily_from"] = constraint.start_time.replace(tzinfo=None)
        values["daily_until"] = constraint.end_time.replace(tzinfo=None)
    return Rates(**values)


def tiers(price: Decimal | listed.TieredPrices) -> tuple[tuple[int, int], ...]:
    if isinstance(price, Decimal):
        return ((0, nano(price)),)
    return ((0, nano(price.base)), *((tier.start, nano(tier.price)) for tier in price.tiers))


def nano(usd: Decimal) -> int:
    """Some listed prices are quotients cut off far behind the ninth place."""
    return nano_from_usd(usd)


def clause(match: listed.MatchLogic) -> Clause:
    if isinstance(match, listed.ClauseOr):
        return Clause(any_of=tuple(clause(each) for each in match.or_))
    if isinstance(match, listed.ClauseAnd):
        return Clause(all_of=tuple(clause(each) for each in match.and_))
    if isinstance(match, listed.ClauseRegex):
        return Clause(regex=match.regex)
    [(test, text)] = vars(match).items()
    return Clause(**{test: text.lower()})
