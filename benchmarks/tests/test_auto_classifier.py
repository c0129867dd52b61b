"""The classifier as it is shipped: right on what it never saw, as trained, small, and saving something."""

import pytest

from benchmarks.auto.labelled import held_out, trained_on
from benchmarks.auto.report import LEAST_RIGHT, held_out_quality, report
from benchmarks.auto.saving import LADDERS, outcome
from benchmarks.auto.train import examples_of, fitted
from benchmarks.report import as_markdown
from gateway.routing.auto.classifier import WEIGHTS, trained


@pytest.fixture(scope="module")
def said():
    return [trained().classify(each.request()) for each in held_out()]


def test_at_least_85_of_100_held_out_prompts_get_their_tier():
    quality = held_out_quality()
    assert quality.right >= LEAST_RIGHT
    assert all(row[number] / sum(row) > 0.75 for number, row in enumerate(quality.confusion))


def test_the_weights_are_what_training_gives_and_small():
    model, shipped = fitted(examples_of(trained_on())), trained().model
    assert WEIGHTS.stat().st_size < 300_000
    assert shipped.bias == pytest.approx(model.bias, abs=0.02)
    assert set(shipped.weights) <= set(model.weights)
    for name, weights in model.weights.items():
        assert shipped.weights.get(name, (0,) * 4) == pytest.approx(weights, abs=0.02), name


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.provider)
def test_it_costs_less_than_the_strongest_for_all_and_than_lots_of_equal_quality(ladder, said):
    found = outcome(ladder, held_out(), said, 50)
    assert found.cost < 0.9
    assert found.quality > 0.9 > found.random_quality
    assert found.cost < found.mixed_cost


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.provider)
def test_the_ends_of_the_dial_are_the_cheapest_and_the_strongest(ladder, said):
    cheapest, strongest = (outcome(ladder, held_out(), said, dial) for dial in (0, 100))
    assert strongest.cost == pytest.approx(1)
    assert strongest.quality == 1
    assert cheapest.cost == pytest.approx(cheapest.random_cost)
    assert cheapest.cost < 0.25


def test_the_report_tells_accuracy_time_and_savings(monkeypatch):
    monkeypatch.setattr("benchmarks.auto.report.TIMED", 20)
    text = as_markdown(report(), {}, None)
    assert "at least 85% of the held-out prompts" in text
    assert "a prompt of 4 KB, p95" in text
    assert "auto | cost with the dial at 50" in text
