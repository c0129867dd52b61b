"""From how hard a prompt looks to the order in which a route's targets are tried. Pure.

The most probable tier decides, with the scales tilted twice: by the route's dial, and by what feedback taught.
"""

from collections.abc import Mapping, Sequence
from math import inf, log
from typing import Final

from gateway.routing.auto.classifier import TIERS, Classified
from providers.route_policy import Tier

STEEPNESS: Final = 0.75
UNDECLARED: Final = len(TIERS)
LEAST_PROBABILITY: Final = 1e-9


def tier_order(
    classified: Classified, tiers: Sequence[Tier | None], *, dial: int, learned: Mapping[str, float]
) -> list[int]:
    """Indices of the targets, `tiers` being the hardest each is meant for, None where that isn't said.

    First the weakest that is meant for the tier, then stronger ones, then those whose tier isn't said, then weaker
    ones from the strongest down; equals stay as they were. `dial` and `learned` as in `chosen_tier`.
    """
    level = TIERS.index(chosen_tier(classified, dial=dial, learned=learned))
    levels = [UNDECLARED if tier is None else TIERS.index(tier) for tier in tiers]

    def rank(index: int) -> tuple[bool, int]:
        weaker = levels[index] < level
        return weaker, -levels[index] if weaker else levels[index]

    return sorted(range(len(levels)), key=rank)


def chosen_tier(classified: Classified, *, dial: int, learned: Mapping[str, float]) -> Tier:
    """The tier that a prompt is treated as.

    `dial` goes from 0, always the easiest, over 50, the most probable, to 100, always the hardest; between them each
    point makes a step to a harder tier likelier or less likely, in log-odds. `learned` holds such log-odds by tier: by
    how much readier a prompt of that tier is sent to the next harder one. Names that are no tier say nothing.
    """
    step = step_of(dial)
    if abs(step) == inf:
        return TIERS[0] if step < 0 else TIERS[-1]
    best, best_score, tilt = TIERS[0], -inf, 0.0
    for tier, probability in zip(TIERS, classified.probabilities, strict=True):
        score = log(max(probability, LEAST_PROBABILITY)) + tilt
        if score > best_score:
            best, best_score = tier, score
        tilt += step + learned.get(tier, 0.0)
    return best


def step_of(dial: int) -> float:
    """Log-odds for every step to a harder tier."""
    turned = (dial - 50) / 50
    if abs(turned) >= 1:
        return inf if turned > 0 else -inf
    return STEEPNESS * turned / (1 - abs(turned))
