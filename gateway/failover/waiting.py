"""How long to wait before the same target is asked again."""

from random import Random
from typing import Final

from common.errors import OrchestratorError

FIRST_SECONDS: Final = 0.1
MOST_SECONDS: Final = 2.0
LONGEST_ASKED_FOR: Final = 5.0
"""What a provider may ask us to wait while our caller waits too."""


def seconds_to_wait(error: OrchestratorError, tries: int, random: Random) -> float | None:
    """What the provider asked for, or a growing time drawn by lot (full jitter, as in AWS's architecture blog,
    "Exponential backoff and jitter"); None where it asked for too much."""
    if error.retry_after is not None:
        return error.retry_after + random.uniform(0, 0.05) if error.retry_after <= LONGEST_ASKED_FOR else None
    return random.uniform(0, min(MOST_SECONDS, FIRST_SECONDS * 2.0**tries))
