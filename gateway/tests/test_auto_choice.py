"""From tiers to targets: the fitting one first, tilted by the dial and by what was learnt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.auto.choice import chosen_tier, tier_order
from gateway.routing.auto.classifier import TIERS, Classified
from gateway.routing.auto.learning import Sample, learned_from
from providers.route_policy import Tier

BORDERLINE = (0.5, 0.45, 0.04, 0.01)
PROBABILITIES = st.lists(st.floats(0.001, 1), min_size=4, max_size=4).map(lambda all: tuple(x / sum(all) for x in all))


def saying(*probabilities):
    return Classified(tier=TIERS[probabilities.index(max(probabilities))], probabilities=probabilities)


def level(classified, dial=50, learned=None):
    return TIERS.index(chosen_tier(classified, dial=dial, learned=learned or {}))


@pytest.mark.parametrize(
    ("probabilities", "order"),
    [
        ((0.9, 0.1, 0.0, 0.0), [1, 2, 0, 3]),
        ((0.1, 0.9, 0.0, 0.0), [2, 0, 3, 1]),
        ((0.0, 0.1, 0.9, 0.0), [0, 3, 2, 1]),
        ((0.0, 0.0, 0.1, 0.9), [0, 3, 2, 1]),
    ],
)
def test_the_fitting_target_comes_first_then_stronger_then_undeclared_then_weaker_ones(probabilities, order):
    tiers: list[Tier | None] = ["reasoning", "simple", "medium", None]
    assert tier_order(saying(*probabilities), tiers, dial=50, learned={}) == order


def test_targets_of_one_tier_stay_in_the_route_s_order_and_without_tiers_nothing_changes():
    assert tier_order(saying(0.0, 1.0, 0.0, 0.0), ["medium", "simple", "medium"], dial=50, learned={}) == [0, 2, 1]
    assert tier_order(saying(0.0, 1.0, 0.0, 0.0), [None, None, None], dial=50, learned={}) == [0, 1, 2]
    assert tier_order(saying(0.0, 1.0, 0.0, 0.0), [], dial=50, learned={}) == []


@given(PROBABILITIES)
def test_the_middle_of_the_dial_is_the_most_probable_tier_and_its_ends_are_the_ends(probabilities):
    classified = saying(*probabilities)
    assert chosen_tier(classified, dial=50, learned={}) == classified.tier
    assert (level(classified, 0), level(classified, 100)) == (0, 3)


@given(PROBABILITIES, st.integers(0, 100), st.integers(0, 100))
def test_turning_up_the_dial_never_leads_to_an_easier_tier(probabilities, one, other):
    classified = saying(*probabilities)
    assert level(classified, min(one, other)) <= level(classified, max(one, other))


@given(PROBABILITIES, st.sampled_from(TIERS), st.floats(0, 1.5))
def test_a_tier_that_disappointed_never_leads_to_an_easier_one(probabilities, tier, learned):
    classified = saying(*probabilities)
    assert level(classified, learned={tier: learned}) >= level(classified)


def test_numbers_learnt_under_other_names_say_nothing():
    assert chosen_tier(saying(*BORDERLINE), dial=50, learned={"latency": 9.0}) == "simple"


def test_bad_answers_move_borderline_prompts_to_a_stronger_model_and_leave_clear_ones():
    learned = learned_from([Sample("simple", -1.0)] * 30)
    assert chosen_tier(saying(*BORDERLINE), dial=50, learned=learned) == "medium"
    assert chosen_tier(saying(0.97, 0.01, 0.01, 0.01), dial=50, learned=learned) == "simple"


def test_three_clicks_change_next_to_nothing():
    learned = learned_from([Sample("simple", -1.0)] * 3)
    assert 0 < learned["simple"] < 0.4
    assert chosen_tier(saying(0.6, 0.38, 0.01, 0.01), dial=50, learned=learned) == "simple"


def test_praise_lets_more_go_to_the_cheaper_model_but_less_far():
    praised = learned_from([Sample("medium", 1.0)] * 500)["medium"]
    blamed = learned_from([Sample("medium", -1.0)] * 500)["medium"]
    assert praised == -0.5
    assert blamed == 1.5


def test_feedback_at_one_tier_says_nothing_about_the_others_and_none_about_the_hardest():
    assert set(learned_from([Sample("medium", -1.0), Sample("reasoning", -1.0)])) == {"medium"}
    assert learned_from([]) == {}
    assert learned_from([Sample("simple")]) == {}


def test_generating_again_counts_as_half_a_bad_rating_unless_a_rating_says_more():
    again = learned_from([Sample("simple", regenerated=True)] * 20)["simple"]
    rated = learned_from([Sample("simple", -1.0)] * 20)["simple"]
    both = learned_from([Sample("simple", -1.0, regenerated=True)] * 20)["simple"]
    assert 0 < again < rated == both


@given(st.lists(st.builds(Sample, st.sampled_from(TIERS), st.floats(-9, 9), st.booleans()), max_size=60))
def test_what_is_learnt_stays_within_its_bounds(samples):
    assert all(-0.5 <= tilt <= 1.5 for tilt in learned_from(samples).values())
