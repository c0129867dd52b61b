"""How busy and how fast targets are, with the time held in hand."""

import pytest

from gateway.targets.board import Board
from gateway.targets.spread import Spread
from gateway.targets.vitals import SECONDS_OF_MEMORY, Told, together
from gateway.tests.held_clock import HeldClock

KEY = "platform/openai/gpt-4o#default"


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def board(clock):
    return Board(clock, process="one")


def answered(board, clock, seconds, tokens=10):
    flight = board.began(KEY)
    clock.pass_by(seconds)
    flight.first_chunk()
    flight.succeeded(tokens)


def test_a_peak_counts_at_once_and_fades_with_the_time_constant(board, clock):
    answered(board, clock, 0.2)
    answered(board, clock, 3.0)
    assert board.vitals(KEY).ewma == pytest.approx(3.0)
    answered(board, clock, 0.2)
    assert 2.5 < board.vitals(KEY).ewma < 3.0
    before = board.vitals(KEY).ewma
    clock.pass_by(SECONDS_OF_MEMORY)
    assert board.vitals(KEY).ewma == pytest.approx(before / 2.718281828)


def test_a_call_that_waits_counts_at_least_as_long_as_it_has_waited(board, clock):
    answered(board, clock, 0.1)
    first = board.began(KEY)
    clock.pass_by(7.0)
    second = board.began(KEY)
    assert board.vitals(KEY).ewma == pytest.approx(7.0)
    assert board.vitals(KEY).score() == pytest.approx(7.0 * 3)
    first.first_chunk()
    first.abandoned()
    clock.pass_by(0.5)
    second.abandoned()
    assert board.vitals(KEY).in_flight == 0
    assert 0 < board.vitals(KEY).ewma < 7.5


def test_a_wait_in_vain_counts_and_a_refused_connection_does_not(board, clock):
    flight = board.began(KEY)
    flight.failed("unreachable")
    assert board.vitals(KEY).ewma == 0
    flight = board.began(KEY)
    clock.pass_by(5.0)
    flight.failed("silent")
    assert board.vitals(KEY).ewma == pytest.approx(5.0)


def test_who_always_loses_a_race_is_known_to_be_slow_and_an_early_hang_up_says_nothing(board, clock):
    for seconds in (0.1, 0.1, 2.0, 0.01):
        flight = board.began(KEY)
        clock.pass_by(seconds)
        if seconds == 0.1:
            flight.first_chunk()
        flight.abandoned()
    assert board.vitals(KEY).ewma == pytest.approx(2.0, rel=0.01)
    for _ in range(10):
        flight = board.began(KEY)
        clock.pass_by(3.0)
        flight.abandoned()
    assert board.vitals(KEY).p95 == pytest.approx(3.0, rel=0.1)


def test_a_flight_ends_once(board):
    flight = board.began(KEY)
    assert board.vitals(KEY).in_flight == 1
    for end in (flight.succeeded, flight.abandoned, flight.succeeded):
        end()
    flight.failed("silent")
    flight.first_chunk(1.0)
    assert board.vitals(KEY).in_flight == 0
    assert board.vitals(KEY).samples == 0
    assert board.circuit(KEY).failures == 0


def test_the_score_of_an_unknown_target_grows_with_what_is_under_way(board):
    scores = [board.vitals(KEY).score() for _ in range(3) if board.began(KEY)]
    assert scores == sorted(set(scores))


def test_the_usual_answer_and_the_cached_share(board):
    assert board.vitals(KEY).output_tokens == 0
    board.began(KEY).succeeded(100, 1.0)
    board.began(KEY).succeeded(200, 0.0)
    assert board.vitals(KEY).output_tokens == pytest.approx(110)
    assert 0 < board.vitals(KEY).cached_share < 0.1


def test_the_p95_is_within_a_step_of_the_true_one_and_unknown_with_few_samples(board, clock):
    for number in range(1, 5):
        answered(board, clock, number / 100)
    assert board.vitals(KEY).p95 is None
    for number in range(5, 101):
        answered(board, clock, number / 100)
    assert board.vitals(KEY).p95 == pytest.approx(0.95, rel=0.15)


def test_old_times_fade_from_the_spread():
    spread = Spread(0.0)
    for _ in range(100):
        spread.add(8.0, 0.0)
    for moment in range(180):
        for _ in range(5):
            spread.add(0.05, float(moment))
    assert spread.percentile(0.95, 180.0) == pytest.approx(0.05, rel=0.1)
    assert spread.percentile(0.95, 10_000.0) is None


def test_the_spread_stays_small_whatever_it_is_told():
    spread = Spread(0.0)
    for number in range(20_000):
        spread.add(1e-6 * 1.002**number, number / 100)
    assert spread.weight <= 513
    assert (spread.percentile(1.0, 200.0) or 0) < 2000


def test_what_two_processes_tell_is_weighed_by_their_answers():
    told = together(Told(2, 0.5, 1.0, 30.0, 1.2), Told(3, 0.0, 2.0, 10.0, None, 50.0))
    assert (told.in_flight, told.waiting, told.p95, told.output_tokens) == (5, 0.5, 1.2, 50.0)
    assert told.ewma == pytest.approx(1.25)
    assert together(Told(), Told()) == Told()


def test_what_others_tell_is_added_and_not_believed_for_long(board, clock):
    board.began(KEY)
    board.vitals(KEY).believe(Told(4, 0.0, 2.0, 5.0, 3.0, 80.0, 0.5))
    vitals = board.vitals(KEY)
    assert (vitals.in_flight, vitals.ewma, vitals.p95, vitals.output_tokens) == (5, 2.0, 3.0, 80.0)
    clock.pass_by(3.1)
    assert (vitals.in_flight, vitals.p95, vitals.output_tokens) == (1, None, 0.0)
    assert vitals.ewma == pytest.approx(3.1)


def test_the_board_forgets_the_target_used_longest_ago_that_is_idle_and_well(clock):
    board = Board(clock, process="one", most=3)
    board.began("busy")
    for _ in range(5):
        board.began("ill").failed("silent")
    board.began("well").succeeded()
    board.began("late").succeeded()
    assert [shown.key for shown in board.snapshot()] == ["busy", "ill", "late"]
    for number in range(100):
        board.began(f"more-{number}")
    assert len(board.snapshot()) == 3
    assert sum(board.troubles().values()) <= 1
