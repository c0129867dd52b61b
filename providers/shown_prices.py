"""Prices as callers are shown them: what they pay for a million tokens, exactly, as a number and as text. Pure."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from providers.prices import Price, Tier

BASIS_POINTS: Final = 10_000
NANO: Final = Decimal(10) ** -9


class TierShown(msgspec.Struct, frozen=True):
    """In force for a request whose input is more than `above_input_tokens`."""

    above_input_tokens: int
    nano_usd_per_mtok: int
    usd_per_mtok: str


class RateShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """`tiers` are the rates of long requests, where those differ."""

    nano_usd_per_mtok: int
    usd_per_mtok: str
    tiers: tuple[TierShown, ...] = ()


class PriceShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A kind of token that has no rate of its own is priced as what it is a part of, `input` or `output`."""

    input: RateShown
    output: RateShown
    cache_read: RateShown | None = None
    cache_write: RateShown | None = None
    cache_write_1h: RateShown | None = None
    input_audio: RateShown | None = None
    output_audio: RateShown | None = None
    nano_usd_per_request: int = 0


def shown_price(price: Price | None, mark_up_basis_points: int = 0) -> PriceShown | None:
    """None for a model without a price. The mark-up is in it, each rate rounded half-even."""
    if price is None or not price.input or not price.output:
        return None

    def rate(tiers: tuple[Tier, ...]) -> RateShown | None:
        return shown_rate(tiers, mark_up_basis_points) if tiers else None

    return PriceShown(
        input=shown_rate(price.input, mark_up_basis_points),
        output=shown_rate(price.output, mark_up_basis_points),
        cache_read=rate(price.cache_read),
        cache_write=rate(price.cache_write),
        cache_write_1h=rate(price.cache_write_1h),
        input_audio=rate(price.input_audio),
        output_audio=rate(price.output_audio),
        nano_usd_per_request=marked_up(price.nano_per_request, mark_up_basis_points),
    )


def shown_rate(tiers: tuple[Tier, ...], basis_points: int) -> RateShown:
    first, *further = (
        TierShown(tier.above_input_tokens, nano, usd_text(nano))
        for tier in tiers
        for nano in (marked_up(tier.nano_per_mtok, basis_points),)
    )
    return RateShown(first.nano_usd_per_mtok, first.usd_per_mtok, tuple(further))


def marked_up(nano: int, basis_points: int) -> int:
    """Half-even, as costs are."""
    return round(Fraction(nano * (BASIS_POINTS + basis_points), BASIS_POINTS))


def usd_text(nano: int) -> str:
    """`0.15`, and never an exponent: two places at least, nine at most."""
    whole, _, places = f"{nano * NANO:.9f}".partition(".")
    return f"{whole}.{places.rstrip('0'):0<2}"
