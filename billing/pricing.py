"""What an attempt cost: tokens × rates in integers, rounded half-even once, at the end.

A rate counts for the whole request: the tier is the highest one that the request's input tokens
exceed, for its output too. That is how vendors bill long contexts and what `genai-prices` does
(`genai_prices.types.TieredPrices`).
"""

from collections.abc import Iterable

from common.money import divide_half_even
from providers.prices import Price, Tier
from providers.wire.shapes import Usage

TOKENS_PER_RATE = 1_000_000
BASIS_POINTS = 10_000


def cost(usage: Usage, price: Price) -> int:
    """Nano-USD of one attempt. Never raises: counts that contradict each other are held within their total."""
    reached = usage.input_tokens
    for_an_hour = min(usage.cache_write_1h_tokens, usage.cache_write_tokens) if price.cache_write_1h else 0
    read = (
        (usage.cache_read_tokens, price.cache_read),
        (for_an_hour, price.cache_write_1h),
        (usage.cache_write_tokens - for_an_hour, price.cache_write),
        (usage.input_audio_tokens, price.input_audio),
    )
    spoken = ((usage.output_audio_tokens, price.output_audio),)
    exact = weigh(usage.input_tokens, price.input, read, reached)
    exact += weigh(usage.output_tokens, price.output, spoken, reached)
    return divide_half_even(exact, TOKENS_PER_RATE) + price.nano_per_request


def marked_up(cost_nano: int, mark_up_basis_points: int) -> int:
    """Nano-USD that a tenant pays for a cost: with so many 1/10,000 of it added, rounded half-even."""
    return divide_half_even(cost_nano * (BASIS_POINTS + mark_up_basis_points), BASIS_POINTS)


def weigh(total: int, tiers: tuple[Tier, ...], parts: Iterable[tuple[int, tuple[Tier, ...]]], reached: int) -> int:
    """Tokens × nano-USD per million of a total: each part at its own rate, what is left at the total's."""
    left = max(total, 0)
    exact = 0
    for count, part_tiers in parts:
        if count > 0 and part_tiers:
            counted = min(count, left)
            left -= counted
            exact += counted * rate(part_tiers, reached)
    return exact + left * rate(tiers, reached)


def rate(tiers: tuple[Tier, ...], reached: int) -> int:
    """Nano-USD per million tokens for a request of `reached` input tokens; 0 without tiers."""
    if not tiers:
        return 0
    for tier in reversed(tiers):
        if reached > tier.above_input_tokens:
            return tier.nano_per_mtok
    return tiers[0].nano_per_mtok
