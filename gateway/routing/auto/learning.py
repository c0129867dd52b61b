"""What feedback teaches a route: how much readier its prompts should go to a stronger model. Pure.

For each tier the share of bad answers is estimated, with a prior as strong as 40 ratings, so that a few clicks change
next to nothing; the log-odds by which the estimate exceeds what is usual is the tier's tilt, as `choice` takes it.
"""

from collections.abc import Iterable
from math import log
from typing import Final

import msgspec

from gateway.routing.auto.classifier import TIERS
from providers.route_policy import Tier

USUALLY_BAD: Final = 0.2
PRIOR: Final = 40.0
MOST: Final = 1.5
LEAST: Final = -0.5
"""People praise less reliably than they complain, and a cheap model that disappoints costs more than a dear one that
wasn't needed: what is learnt may raise further than it lowers."""
REGENERATED: Final = 0.5


class Sample(msgspec.Struct, frozen=True):
    """Feedback on one answer: the `tier` its prompt was treated as, `rating` from -1 to 1 (0 for none), and whether the
    caller had it generated again, which alone counts as half a bad rating."""

    tier: Tier
    rating: float = 0.0
    regenerated: bool = False


def learned_from(samples: Iterable[Sample]) -> dict[str, float]:
    """Tilts by tier, from -0.5 to 1.5; tiers without feedback have none, nor has the hardest, as nothing follows it."""
    bad = dict.fromkeys(TIERS[:-1], 0.0)
    judged = dict.fromkeys(TIERS[:-1], 0.0)
    for sample in samples:
        if sample.tier in judged:
            was_bad, weight = judgement(sample)
            bad[sample.tier] += was_bad
            judged[sample.tier] += weight
    return {tier: tilt(bad[tier], weight) for tier, weight in judged.items() if weight}


def judgement(sample: Sample) -> tuple[float, float]:
    """How bad it was, and how much that counts; both from 0 to 1. What is out of bounds counts as the bound."""
    rating = max(-1.0, min(1.0, sample.rating))
    was_bad = max(-rating, REGENERATED if sample.regenerated else 0.0)
    return was_bad, max(abs(rating), was_bad)


def tilt(bad: float, judged: float) -> float:
    share = (bad + PRIOR * USUALLY_BAD) / (judged + PRIOR)
    return max(LEAST, min(MOST, log_odds(share) - log_odds(USUALLY_BAD)))


def log_odds(share: float) -> float:
    return log(share / (1 - share))
