"""Samples of the soaks: the same proofs, small enough for every run of the tests. Time is not judged here."""

import pytest

from benchmarks.soak import faults, idempotency, isolation, ledger


def broken(report):
    return [f"{check.statement}: {check.found}" for check in report.checks if not check.met]


@pytest.mark.timeout(300)
def test_no_settlement_is_lost_or_doubled_when_processes_are_killed():
    assert broken(ledger.soak(print, requests=300, kills=4)) == []


@pytest.mark.timeout(300)
def test_no_foreign_row_is_read_while_sets_fail_on_a_pool_of_one():
    assert broken(isolation.soak(print, requests=2_000)) == []


@pytest.mark.timeout(300)
def test_no_answer_is_cut_short_unnoticed_and_every_attempt_is_booked_once_under_random_faults():
    assert broken(faults.soak(print, faults=60)) == []


@pytest.mark.timeout(300)
def test_what_is_sent_again_is_done_once_whoever_flushes_redis():
    assert broken(idempotency.soak(print, requests=200)) == []
