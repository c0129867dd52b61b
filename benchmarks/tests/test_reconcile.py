"""The soak's judge: it must find what it is there to find."""

from dataclasses import replace

import pytest

from benchmarks.rates import Rates
from benchmarks.soak import reconcile as judge
from benchmarks.soak.client import Sight
from benchmarks.soak.ledger_rows import IntentRow, SettlementRow
from benchmarks.soak.reconcile import Evidence
from benchmarks.upstream.journal import Ended, Received

COST = Rates().cost(input_tokens=100, output_tokens=20, cached_tokens=10)
RECEIVED = Received(1, 0.0, "r1", 1, "mock", True, "none", 100, 20, 10, 5)
ENDED = Ended(1, 1.0, "r1", 1, "completed", 200, 5, True)
INTENT = IntentRow("r1", 1, 300_000)
SETTLED = SettlementRow("r1", 1, "settlement", 20, "provider", COST, COST, "completed")
SIGHT = Sight(0, "whole", 200, "r1", 5, 0, 2.0)
SOUND = Evidence([RECEIVED], {1: ENDED}, [INTENT], [SETTLED], [SIGHT])
LEFT = replace(SIGHT, seen="hung_up", chunks=4)


def violated(evidence):
    return {check.statement for check in judge.reconcile(evidence, Rates()).checks() if not check.met}


def aborted(**fields):
    end = Ended(1, 1.0, "r1", 1, "client_gone", 200, 5, False)
    row = replace(
        SETTLED, outcome="aborted", usage_source="counted", output_tokens=10, cost_nano=250_000, charge_nano=250_000
    )
    return replace(SOUND, ended={1: end}, settlements=[replace(row, **fields)], sights=[LEFT])


def test_a_sound_ledger_passes():
    assert violated(SOUND) == set()
    assert violated(aborted()) == set()


@pytest.mark.parametrize(
    ("evidence", "statement"),
    [
        (replace(SOUND, settlements=[]), judge.NOT_LOST),
        (replace(SOUND, settlements=[]), judge.ALL_SETTLED),
        (replace(SOUND, settlements=[SETTLED, SETTLED]), judge.NOT_DOUBLED),
        (replace(SOUND, received=[RECEIVED, RECEIVED]), judge.DISPATCHED_ONCE),
        (replace(SOUND, intents=[]), judge.INTENT_FIRST),
        (replace(SOUND, settlements=[replace(SETTLED, cost_nano=COST + 1)]), judge.EXACT),
        (replace(SOUND, settlements=[replace(SETTLED, charge_nano=COST - 1)]), judge.CHARGED),
        (replace(SOUND, settlements=[replace(SETTLED, usage_source="counted")]), judge.USAGE_READ),
        (replace(SOUND, ended={}), judge.TRULY_COMPLETED),
        (replace(SOUND, settlements=[replace(SETTLED, outcome="aborted")]), judge.SEEN_IS_BOOKED),
        (replace(SOUND, settlements=[replace(SETTLED, outcome="killed")]), judge.KILLED_FLAGGED),
        (replace(SOUND, received=[]), judge.PHANTOM_FREE),
        (aborted(cost_nano=900_000), judge.WITHIN),
        (aborted(cost_nano=-1), judge.WITHIN),
        (aborted(output_tokens=3), judge.AT_LEAST),
    ],
)
def test_every_contradiction_is_found(evidence, statement):
    assert statement in violated(evidence)


def test_a_correction_is_summed_in_and_its_outcome_is_in_force():
    estimate = replace(SETTLED, outcome="killed", usage_source="estimated", cost_nano=300_000, charge_nano=0)
    truth = replace(SETTLED, kind="correction", cost_nano=COST - 300_000)
    assert violated(replace(SOUND, settlements=[estimate, truth])) == set()
    assert judge.EXACT in violated(replace(SOUND, settlements=[estimate, replace(truth, cost_nano=COST)]))


def test_rates_round_half_to_even():
    rates = Rates(input=500_000, output=1_500_000, cache_read=0)
    assert rates.cost(input_tokens=1, output_tokens=0, cached_tokens=0) == 0
    assert rates.cost(input_tokens=0, output_tokens=1, cached_tokens=0) == 2
    assert rates.cost(input_tokens=3, output_tokens=0, cached_tokens=3) == 0
