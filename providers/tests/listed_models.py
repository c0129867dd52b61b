"""A sample of the models that genai-prices lists with a price for chat, the same in every run."""

import random
from datetime import UTC, datetime

from genai_prices.data import providers as listed_providers

from providers.pricing_source import listed_price

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PROVIDERS = ("openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "groq", "together", "azure", "cohere")


def names(provider_id: str, count: int) -> list[str]:
    provider = next(each for each in listed_providers if each.id == provider_id)
    priced = [model.id for model in provider.models if listed_price(provider_id, model.id, at=NOW)]
    return random.Random(provider_id).sample(priced, min(count, len(priced)))


MODELS = [(provider, model) for provider in PROVIDERS for model in names(provider, 12)]
