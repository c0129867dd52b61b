"""How hard a prompt looks: a linear model over named features, trained offline by `python -m benchmarks.auto train`.

It decides in a fraction of a millisecond and always the same. A stronger router takes its place by being a `Router`.
"""

from functools import cache
from math import exp
from pathlib import Path
from typing import Final, Protocol, get_args

import msgspec

from gateway.routing.auto.asking import texts_of
from gateway.routing.auto.features import Features, features_of
from providers.route_policy import Tier
from providers.wire.shapes import ChatRequest

WEIGHTS: Final = Path(__file__).with_name("weights.json")
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
"""From the easiest to the hardest."""
MOST_REASONS: Final = 4


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """`tier` is the most probable; `probabilities` are in the order of TIERS and sum to 1; `reasons` are the features
    that told most for the tier, the strongest first."""

    tier: Tier
    probabilities: tuple[float, float, float, float]
    reasons: tuple[str, ...] = ()


class Router(Protocol):
    """Whatever tells how hard a request is. Called on the event loop: it must answer at once, and raise nothing."""

    def classify(self, request: ChatRequest) -> Classified: ...


Weights = tuple[float, float, float, float]


class Linear(msgspec.Struct, frozen=True):
    """What was trained: weights of each feature by tier, beside those of the constant. Unknown features say nothing."""

    bias: Weights
    weights: dict[str, Weights]

    def scores(self, features: Features) -> list[float]:
        simple, medium, complicated, reasoning = self.bias
        weights = self.weights
        for name, value in features.items():
            of_tiers = weights.get(name)
            if of_tiers is not None:
                simple += of_tiers[0] * value
                medium += of_tiers[1] * value
                complicated += of_tiers[2] * value
                reasoning += of_tiers[3] * value
        return [simple, medium, complicated, reasoning]

    def reasons(self, features: Features, number: int) -> tuple[str, ...]:
        """What told most for the tier of this number, against the mean of all tiers."""
        told = []
        for name, value in features.items():
            of_tiers = self.weights.get(name)
            if of_tiers is not None and value:
                told.append(((of_tiers[number] - sum(of_tiers) / 4) * value, name))
        told.sort(reverse=True)
        return tuple(name for strength, name in told[:MOST_REASONS] if strength > 0)


class Classifier:
    """A Router by trained weights."""

    def __init__(self, model: Linear) -> None:
        self.model = model

    def classify(self, request: ChatRequest) -> Classified:
        return self.classify_features(features_of(texts_of(request)))

    def classify_features(self, features: Features) -> Classified:
        probabilities = softmax(self.model.scores(features))
        number = max(range(4), key=probabilities.__getitem__)
        return Classified(tier=TIERS[number], probabilities=probabilities, reasons=self.model.reasons(features, number))


def softmax(scores: list[float]) -> Weights:
    most = max(scores)
    simple, medium, complicated, reasoning = (exp(score - most) for score in scores)
    total = simple + medium + complicated + reasoning
    return (simple / total, medium / total, complicated / total, reasoning / total)


@cache
def trained() -> Classifier:
    """The one that comes with the product; the file is read once."""
    return Classifier(msgspec.json.decode(WEIGHTS.read_bytes(), type=Linear))
