"""When a delivery that failed is tried again: the specification's own example of a schedule, three days long.

1 at once · 2 after 5 s · 3 after 5 min · 30 min · 2 h · 5 h · 10 h · 14 h · 20 h · 10 after 24 h
"""

from typing import Final

MINUTE, HOUR = 60.0, 3600.0
DELAYS: Final = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
# Added at most, so that what failed together does not come back together.
JITTER: Final = 0.1
LONGEST_WAIT: Final = 24 * HOUR


def seconds_to_next(attempt: int, chance: float, retry_after: float | None = None) -> float | None:
    """From the end of the failed `attempt`, the first being 1, to the next; None after the last.

    `chance` is drawn from 0 to 1. An endpoint that says when to come back is asked no sooner.
    """
    if attempt > len(DELAYS):
        return None
    wait = DELAYS[attempt - 1] * (1 + JITTER * chance)
    return max(wait, min(retry_after or 0.0, LONGEST_WAIT))
