"""Money is an integer count of nano-USD (10⁻⁹ USD); Decimal at the edges, floats nowhere."""

from decimal import ROUND_HALF_EVEN, Decimal

NANO_PER_USD = 1_000_000_000


def nano_from_usd(usd: Decimal | str | int) -> int:
    """Nano-USD of an exact amount in USD, rounded half-even below one nano-USD."""
    return int((Decimal(usd) * NANO_PER_USD).to_integral_value(ROUND_HALF_EVEN))


def usd_from_nano(nano: int) -> Decimal:
    """The exact amount in USD, nine places."""
    return Decimal(nano).scaleb(-9)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Integer division rounded half to even; `denominator` > 0."""
    quotient, remainder = divmod(numerator, denominator)
    doubled = remainder * 2
    if doubled > denominator or (doubled == denominator and quotient % 2):
        return quotient + 1
    return quotient
