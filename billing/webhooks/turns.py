"""A worker's turn: events become deliveries, and those that are due are attempted."""

import random
import time
from collections.abc import Callable
from typing import Final

from billing.webhooks.claims import claim
from billing.webhooks.fan_out import BATCH, fan_out
from billing.webhooks.outcomes import record
from billing.webhooks.sending import sent
from common.clock import Clock, SystemClock

# With the longest attempt that may begin last, well within the time of a task.
SECONDS_A_TURN: Final = 10.0


def take_turn(clock: Clock | None = None, chance: Callable[[], float] = random.random) -> int:
    """Until nothing is due, or for SECONDS_A_TURN; returns how many attempts were made. Opens its own scopes."""
    clock = clock or SystemClock()
    ends_at = time.monotonic() + SECONDS_A_TURN
    while fan_out(clock.now()) == BATCH and time.monotonic() < ends_at:
        continue
    made = 0
    while time.monotonic() < ends_at and (due := claim(clock.now())):
        with sent(due, clock.now()) as outcomes:
            for attempt, posted in zip(due, outcomes, strict=True):
                record(attempt, posted, now=clock.now(), chance=chance())
        made += len(due)
    return made
