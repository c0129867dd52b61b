"""What every model costs here, computed apart from the platform's own arithmetic."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-USD a million tokens; uneven numbers, so that the last digit depends on right rounding."""

    input: int = 2_500_000_003
    output: int = 10_000_000_007
    cache_read: int = 1_250_000_001

    def usd(self, name: str) -> str:
        """A rate in USD a million tokens, exact."""
        return f"{Decimal(getattr(self, name)).scaleb(-9):f}"

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int) -> int:
        """Nano-USD, half-even at the end; cached tokens are part of the input tokens."""
        exact = (input_tokens - cached_tokens) * self.input + cached_tokens * self.cache_read
        return round(Fraction(exact + output_tokens * self.output, 1_000_000))
