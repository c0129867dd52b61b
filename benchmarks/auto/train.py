"""Training: multinomial logistic regression with AdaGrad and L2, in plain Python, the same on every machine.

Sees the training part alone. What it tells about quality comes from cross-validation within that part.
"""

from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from random import Random
from typing import Final

import msgspec

from benchmarks.auto.labelled import Labelled, trained_on
from gateway.routing.auto.asking import texts_of
from gateway.routing.auto.classifier import TIERS, WEIGHTS, Classifier, Linear, softmax
from gateway.routing.auto.features import Features, features_of

EPOCHS: Final = 40
RATE: Final = 0.15
SHRINKING: Final = 0.003
LEAST_SEEN: Final = 3
FOLDS: Final = 8
SEED: Final = 20_26
DIGITS: Final = 3

Example = tuple[Features, int]


class Quality(msgspec.Struct, frozen=True):
    """`confusion[labelled][said]` counts; `log_loss` is the mean, in nats."""

    confusion: tuple[tuple[int, ...], ...]
    log_loss: float

    @property
    def right(self) -> float:
        """The share of 1."""
        return sum(row[number] for number, row in enumerate(self.confusion)) / sum(map(sum, self.confusion))


def main() -> None:
    quality = cross_validated(examples_of(trained_on()))
    print(f"cross-validated on the training part: {quality.right:.1%} right, log loss {quality.log_loss:.3f}")
    for tier, row in zip(TIERS, quality.confusion, strict=True):
        print(f"  {tier:>10} {row}")
    model = rounded(fitted(examples_of(trained_on())))
    WEIGHTS.write_text(written(model))
    print(f"{len(model.weights)} features written to {WEIGHTS.name}, {WEIGHTS.stat().st_size:,} bytes")


def examples_of(prompts: Sequence[Labelled]) -> list[Example]:
    return [(features_of(texts_of(each.request())), TIERS.index(each.tier)) for each in prompts]


def cross_validated(examples: Sequence[Example]) -> Quality:
    judged = []
    for fold in range(FOLDS):
        rest = [each for number, each in enumerate(examples) if number % FOLDS != fold]
        judged.append(quality_of(Classifier(fitted(rest)), examples[fold::FOLDS]))
    confusion = tuple(
        tuple(sum(each.confusion[row][column] for each in judged) for column in range(4)) for row in range(4)
    )
    return Quality(confusion, sum(each.log_loss for each in judged) / FOLDS)


def quality_of(classifier: Classifier, examples: Sequence[Example]) -> Quality:
    confusion = [[0] * 4 for _ in TIERS]
    loss = 0.0
    for features, tier in examples:
        said = classifier.classify_features(features)
        confusion[tier][TIERS.index(said.tier)] += 1
        loss -= log(max(said.probabilities[tier], 1e-9))
    return Quality(tuple(map(tuple, confusion)), loss / len(examples))


def fitted(examples: Sequence[Example]) -> Linear:
    """By stochastic gradients, in an order that SEED decides."""
    seen = Counter(name for features, _ in examples for name in features)
    kept = [
        ([(name, value) for name, value in features.items() if value and seen[name] >= LEAST_SEEN] + [("", 1.0)], tier)
        for features, tier in examples
    ]
    weights = {name: [0.0] * 4 for features, _ in kept for name, _ in features}
    squares = {name: [1e-6] * 4 for name in weights}
    random = Random(SEED)
    for _ in range(EPOCHS):
        random.shuffle(kept)
        for features, tier in kept:
            learn(weights, squares, features, tier)
    bias = weights.pop("")
    return Linear(as_four(bias), {name: as_four(of_tiers) for name, of_tiers in weights.items()})


def learn(
    weights: dict[str, list[float]], squares: dict[str, list[float]], features: list[tuple[str, float]], tier: int
) -> None:
    """One step of AdaGrad (Duchi, Hazan and Singer, 2011) for one example."""
    scores = [sum(weights[name][number] * value for name, value in features) for number in range(4)]
    wrong = [share - (number == tier) for number, share in enumerate(softmax(scores))]
    for name, value in features:
        of_tiers, squared = weights[name], squares[name]
        shrinking = SHRINKING if name else 0.0
        for number in range(4):
            slope = wrong[number] * value + shrinking * of_tiers[number]
            squared[number] += slope * slope
            of_tiers[number] -= RATE * slope / sqrt(squared[number])


def rounded(model: Linear) -> Linear:
    """To three digits, so that the file is small; what comes to nothing is left out."""
    short = {name: as_four([round(each, DIGITS) for each in of_tiers]) for name, of_tiers in model.weights.items()}
    bias = as_four([round(each, DIGITS) for each in model.bias])
    return Linear(bias, {name: of_tiers for name, of_tiers in short.items() if any(of_tiers)})


def written(model: Linear) -> str:
    """JSON, a feature a line, so that a change can be read."""
    lines = (f"{json(name)}:{json(model.weights[name])}" for name in sorted(model.weights))
    return f'{{"bias":{json(model.bias)},"weights":{{\n' + ",\n".join(lines) + "\n}}\n"


def json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def as_four(weights: Sequence[float]) -> tuple[float, float, float, float]:
    simple, medium, complicated, reasoning = weights
    return simple, medium, complicated, reasoning
