"""How much to think, in words, for models that take no budget of tokens."""

LITTLE_THOUGHT, SOME_THOUGHT = 4096, 16_384


def effort_for(budget: int | None) -> str:
    """The effort that comes nearest to a budget, which the model does not take in tokens."""
    if budget is None:
        return ""
    if budget < LITTLE_THOUGHT:
        return "low"
    return "medium" if budget < SOME_THOUGHT else "high"
