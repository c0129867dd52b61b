"""Our cost, in integers, against genai-prices' own arithmetic on the same models and usages."""

import random
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN

import genai_prices
import pytest

from billing.pricing import cost
from providers.pricing_source import listed_price
from providers.tests.listed_models import MODELS, NOW
from providers.wire.shapes import Usage


def test_there_are_enough_models_to_compare():
    assert len(MODELS) >= 60


def random_usage(chance: random.Random, audio_in: bool, audio_out: bool) -> Usage:
    total_in = chance.choice([0, chance.randrange(500), chance.randrange(150_000), chance.randrange(1_000_000)])
    total_out = chance.randrange(60_000)
    read = chance.randrange(total_in + 1) if chance.random() < 0.5 else 0
    written = chance.randrange(total_in - read + 1) if chance.random() < 0.3 else 0
    heard = chance.randrange(total_in - read - written + 1) if audio_in else 0
    return Usage(
        input_tokens=total_in,
        output_tokens=total_out,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=total_out // 3,
        input_audio_tokens=heard,
        output_audio_tokens=total_out // 2 if audio_out else 0,
        cache_write_1h_tokens=chance.randrange(written + 1),
    )


def their_cost(provider_id: str, model: str, usage: Usage, at: datetime) -> int:
    price = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            input_audio_tokens=usage.input_audio_tokens,
            output_audio_tokens=usage.output_audio_tokens,
        ),
        model_ref=model,
        provider_id=provider_id,
        genai_request_timestamp=at,
    )
    return int((price.total_price * 1_000_000_000).to_integral_value(ROUND_HALF_EVEN))


@pytest.mark.parametrize(("provider_id", "model"), MODELS)
def test_our_cost_is_theirs_to_the_nano(provider_id, model):
    chance = random.Random(f"{provider_id}/{model}")
    for _ in range(25):
        at = NOW - timedelta(days=chance.randrange(500), minutes=chance.randrange(1440))
        dated = listed_price(provider_id, model, at=at)
        assert dated is not None
        price = dated.price
        usage = random_usage(chance, bool(price.input_audio), bool(price.output_audio))
        assert cost(usage, price) == their_cost(provider_id, model, usage, at), (usage, at)
