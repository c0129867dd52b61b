"""Pricing against plain decimals, and against the library that the prices come from."""

from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
from genai_prices import Usage as LibraryUsage
from genai_prices.types import ModelPrice, TieredPrices
from genai_prices.types import Tier as LibraryTier
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import cost
from providers.prices import Price, Tier
from providers.wire.shapes import Usage

RATES = st.integers(min_value=0, max_value=200_000_000_000)
TOKENS = st.integers(min_value=0, max_value=2_000_000)
PARTS = ("cache_read", "cache_write", "input_audio", "output_audio")


@st.composite
def rising_tiers(draw):
    rates = sorted(draw(st.lists(RATES, min_size=1, max_size=3)))
    thresholds = sorted(draw(st.sets(st.integers(1, 1_000_000), min_size=len(rates) - 1, max_size=len(rates) - 1)))
    return tuple(Tier(above, nano) for above, nano in zip([0, *thresholds], rates, strict=True))


@st.composite
def prices(draw):
    """Cache or audio, since the library wants a rate for cached audio where both are priced."""
    cached = draw(st.booleans())
    optional = st.one_of(st.just(()), rising_tiers())
    return Price(
        version="test",
        input=draw(rising_tiers()),
        output=draw(rising_tiers()),
        nano_per_request=draw(st.integers(0, 10**9)),
        **{part: draw(optional) for part in PARTS if part.startswith("cache") == cached or part == "output_audio"},
    )


@st.composite
def usages(draw):
    """Parts that fit their totals, as vendors report them."""
    read, write, audio, text = (draw(TOKENS) for _ in range(4))
    spoken, written = draw(TOKENS), draw(TOKENS)
    return Usage(
        input_tokens=read + write + audio + text,
        output_tokens=spoken + written,
        cache_read_tokens=read,
        cache_write_tokens=write,
        input_audio_tokens=audio,
        output_audio_tokens=spoken,
    )


def library_price(tiers):
    others = tiers[1:]
    usd = [Decimal(tier.nano_per_mtok).scaleb(-9) for tier in tiers]
    return TieredPrices(
        base=usd[0],
        tiers=[
            LibraryTier(start=tier.above_input_tokens, price=price) for tier, price in zip(others, usd[1:], strict=True)
        ],
    )


@given(prices(), usages())
def test_costs_what_genai_prices_says_to_the_nano_dollar(price, usage):
    parts = {
        name: getattr(price, part)
        for part, name in zip(
            PARTS, ("cache_read_mtok", "cache_write_mtok", "input_audio_mtok", "output_audio_mtok"), strict=True
        )
        if getattr(price, part)
    }
    model = ModelPrice(
        input_mtok=library_price(price.input),
        output_mtok=library_price(price.output),
        **{name: library_price(tiers) for name, tiers in parts.items()},
    )
    expected = model.calc_price(
        LibraryUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            input_audio_tokens=usage.input_audio_tokens,
            output_audio_tokens=usage.output_audio_tokens,
        )
    )["total_price"]
    nano = int((expected * 10**9).to_integral_value(ROUND_HALF_EVEN)) + price.nano_per_request
    assert cost(usage, price) == nano


@given(RATES, RATES, TOKENS, TOKENS)
def test_rounds_half_even_once_at_the_end(input_rate, output_rate, sent, generated):
    price = Price(version="test", input=(Tier(0, input_rate),), output=(Tier(0, output_rate),))
    exact = (Decimal(input_rate) * sent + Decimal(output_rate) * generated) / 1_000_000
    assert cost(Usage(sent, generated), price) == int(exact.to_integral_value(ROUND_HALF_EVEN))


def test_half_a_nano_dollar_goes_to_the_even_one():
    price = Price(version="test", input=(Tier(0, 500_000),), output=())
    assert [cost(Usage(tokens), price) for tokens in (1, 3, 5)] == [0, 2, 2]


@given(prices(), usages(), st.sampled_from(("input_tokens", "output_tokens")), TOKENS)
def test_more_tokens_never_cost_less(price, usage, total, more):
    fields = {name: getattr(usage, name) for name in usage.__struct_fields__}
    larger = Usage(**{**fields, total: fields[total] + more})
    assert cost(larger, price) >= cost(usage, price)


@given(RATES, RATES, usages(), usages())
def test_two_calls_cost_what_one_of_both_does_but_for_rounding(input_rate, output_rate, one, other):
    price = Price(version="test", input=(Tier(0, input_rate),), output=(Tier(0, output_rate),))
    both = Usage(one.input_tokens + other.input_tokens, one.output_tokens + other.output_tokens)
    assert abs(cost(one, price) + cost(other, price) - cost(both, price)) <= 1


def test_the_tier_counts_for_the_whole_request_and_begins_above_its_threshold():
    price = Price(
        version="test",
        input=(Tier(0, 1_000_000_000), Tier(200_000, 2_000_000_000)),
        output=(Tier(0, 10_000_000_000), Tier(200_000, 15_000_000_000)),
    )
    assert cost(Usage(200_000, 1_000), price) == 200_000 * 1_000 + 1_000 * 10_000
    assert cost(Usage(200_001, 1_000), price) == 200_001 * 2_000 + 1_000 * 15_000


def test_cached_tokens_are_part_of_the_input_and_not_added_to_it():
    price = Price(version="test", input=(Tier(0, 1_000_000_000),), output=(), cache_read=(Tier(0, 100_000_000),))
    assert cost(Usage(input_tokens=1_000, cache_read_tokens=400), price) == 600 * 1_000 + 400 * 100


def test_a_part_without_a_rate_costs_what_the_total_does():
    price = Price(version="test", input=(Tier(0, 1_000_000_000),), output=())
    assert cost(Usage(input_tokens=1_000, cache_read_tokens=400, input_audio_tokens=300), price) == 1_000_000


def test_reasoning_tokens_are_already_in_the_output():
    price = Price(version="test", input=(), output=(Tier(0, 1_000_000_000),))
    assert cost(Usage(output_tokens=50, reasoning_tokens=40), price) == 50_000


def test_counts_that_contradict_each_other_stay_within_their_total():
    price = Price(version="test", input=(Tier(0, 1_000_000_000),), output=(), cache_read=(Tier(0, 100_000_000),))
    assert cost(Usage(input_tokens=10, cache_read_tokens=1_000), price) == 10 * 100
    assert cost(Usage(input_tokens=-5, output_tokens=-5, cache_read_tokens=-1), price) == 0


def test_what_is_cached_for_an_hour_has_a_rate_of_its_own_where_there_is_one():
    usage = Usage(input_tokens=10_000_000, cache_write_tokens=3_000_000, cache_write_1h_tokens=2_000_000)
    price = Price(version="v", input=(Tier(0, 3),), output=(), cache_write=(Tier(0, 5),))
    assert cost(usage, price) == 7 * 3 + 3 * 5
    assert cost(usage, msgspec.structs.replace(price, cache_write_1h=(Tier(0, 8),))) == 7 * 3 + 1 * 5 + 2 * 8
