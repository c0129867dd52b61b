"""How many tokens a vendor says there were."""

MOST_TOKENS = 1 << 40


def count(number: int | None) -> int:
    """0 for what no answer can have."""
    return number if number is not None and 0 < number < MOST_TOKENS else 0
