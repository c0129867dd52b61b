"""What the soaks of faults take for a failure: their verdicts must be able to be bad."""

import pytest

from benchmarks.asking import Heard, Question
from benchmarks.soak import faults, flapping
from benchmarks.soak.fault_script import TOTAL_SECONDS, Scripted, write_fault_script
from benchmarks.soak.faults import Told, judge
from benchmarks.soak.reconcile import Findings

ASKED = Scripted(Question("continue", {"chunks": 2}), "word0 word1 ")


def wrong(seen, text, *, seconds=0.1, asked=ASKED):
    findings = Findings()
    judge(findings, Told(asked, Heard(200, text=text, seen=seen, asked_at=100.0, ended_at=100.0 + seconds)))
    return set(findings.wrong)


def test_a_whole_answer_and_an_error_after_its_beginning_are_in_order():
    assert wrong("whole", "word0 word1 ") == set()
    assert wrong("error", "word0 ") == set()


@pytest.mark.parametrize(("seen", "text"), [("whole", "word0 "), ("whole", "word0 word0 word1 "), ("both", "word0 ")])
def test_an_answer_that_looks_complete_and_is_not_is_found(seen, text):
    assert wrong(seen, text) == {faults.COMPLETE}


@pytest.mark.parametrize("seen", ["no_end", "broken", "late"])
def test_an_end_that_says_nothing_is_found(seen):
    assert wrong(seen, "word0 ") == {faults.TOLD}


def test_other_words_before_an_error_are_found():
    assert wrong("error", "another answer") == {faults.BEGINNING}


def test_an_answer_beyond_the_deadline_is_found():
    assert wrong("error", "", seconds=TOTAL_SECONDS + faults.GRACE_SECONDS + 0.1) == {faults.IN_TIME}


def test_a_fault_of_one_target_that_nobody_mended_is_found():
    plan = {"chunks": 2, "fault": "reset", "attempts": 1}
    assert wrong("error", "", asked=Scripted(Question("error", plan), "word0 word1 ")) == {faults.MENDED}
    cut = {**plan, "fault": "cut"}
    asked = Scripted(Question("restart", cut), "word0 word1 ")
    assert wrong("error", "word0 ", asked=asked) == {faults.GONE_ON_WITH}


def test_a_script_of_faults_is_the_same_for_the_same_seed_and_has_enough_of_them():
    script = write_fault_script(faults=1000, seed=4)
    assert script == write_fault_script(faults=1000, seed=4)
    assert sum("fault" in each.question.plan for each in script) > 950


def test_probes_are_told_apart_from_what_opened_the_circuit():
    before, gaps = flapping.apart([0.0, 0.2, 0.4, 0.6, 0.8, 1.7, 3.3])
    assert before == 5
    assert gaps == pytest.approx([0.9, 1.6])


def test_a_second_probe_in_one_interval_is_found():
    arrivals = [0.0, 0.2, 0.4, 0.6, 0.8, 1.7, 2.0]
    outage = flapping.Outage("test", 0.0, [], [], arrivals, [])
    assert [check.met for check in flapping.checks(outage)] == [True, True, False]
