"""Circuits of one process, without Redis, with the time and the chance held in hand."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import REGISTRY

from common.errors import UpstreamGarbled, UpstreamRefused, UpstreamTimeout
from common.ids import new_id
from gateway import metrics
from gateway.causes import cause_of
from gateway.targets.board import Board
from gateway.targets.circuit import Circuit
from gateway.tests.held_clock import HeldClock
from providers.client import failures
from providers.wire.faults import platform_fault

KEY, SPARE, THIRD = "platform/openai/gpt-4o#a", "platform/openai/gpt-4o#b", "t:12ab/own/model#c"


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def board(clock):
    return Board(clock, process="one", draw=lambda: 0.0)


def fail(board, times=5, kind="failed", key=KEY, retry_after=None):
    for _ in range(times):
        board.began(key).failed(kind, retry_after)


def may(board, *keys):
    return [each.may for each in board.admissible(keys or (KEY, SPARE))]


async def probe(board, key=KEY):
    assert await board.claim_probe(key)
    return board.began(key, probe=True)


@pytest.mark.parametrize("kind", ["unreachable", "silent", "failed", "garbled"])
def test_five_failures_in_a_row_open_it(board, kind):
    fail(board, 4, kind)
    assert may(board) == ["yes", "yes"]
    fail(board, 1, kind)
    [verdict, spare] = board.admissible([KEY, SPARE])
    assert (verdict.may, verdict.seconds, verdict.cause, spare.may) == ("open", pytest.approx(1.0), kind, "yes")


def test_a_success_breaks_the_row_and_the_callers_own_mistakes_are_successes(board):
    fail(board, 4)
    board.began(KEY).succeeded()
    fail(board, 4)
    board.began(KEY).failed("rejected")
    assert board.circuit(KEY).failures == 0
    assert board.circuit(KEY).state == "closed"


def test_half_of_ten_calls_open_it_within_thirty_seconds_only(board, clock):
    def mixed(pairs):
        for _ in range(pairs):
            board.began(KEY).succeeded()
            fail(board, 1)

    mixed(4)
    clock.pass_by(31)
    mixed(4)
    assert may(board)[0] == "yes"
    mixed(1)
    assert may(board)[0] == "open"


def test_fewer_failures_than_half_never_open_it(board):
    for _ in range(50):
        board.began(KEY).succeeded()
        board.began(KEY).succeeded()
        fail(board, 1)
    assert may(board)[0] == "yes"


async def test_intervals_double_up_to_four_seconds_until_a_call_succeeds(board, clock):
    fail(board)
    seen = []
    for _ in range(5):
        seconds = board.admissible([KEY, SPARE])[0].seconds
        seen.append(round(seconds, 6))
        clock.pass_by(seconds)
        (await probe(board)).failed("failed")
    assert seen == [1, 2, 4, 4, 4]
    clock.pass_by(4)
    (await probe(board)).succeeded()
    fail(board)
    assert board.admissible([KEY, SPARE])[0].seconds == pytest.approx(1.0)


def test_chance_shortens_an_interval_by_a_quarter_at_most(clock):
    board = Board(clock, process="one", draw=lambda: 1.0)
    fail(board)
    assert board.admissible([KEY, SPARE])[0].seconds == pytest.approx(0.75)


async def test_a_credential_that_is_not_accepted_opens_at_once_and_for_up_to_a_minute(board, clock):
    fail(board, 1, "credential")
    seen = []
    for _ in range(8):
        verdict = board.admissible([KEY, SPARE])[0]
        seen.append(round(verdict.seconds, 6))
        clock.pass_by(verdict.seconds)
        (await probe(board)).failed("credential")
    assert seen == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_one_probe_at_a_time_and_its_first_chunk_closes_the_circuit(board, clock):
    fail(board)
    assert not await board.claim_probe(KEY)
    clock.pass_by(1)
    assert may(board) == ["probe", "yes"]
    flight = await probe(board)
    assert may(board) == ["open", "yes"]
    assert not await board.claim_probe(KEY)
    clock.pass_by(100)
    assert may(board) == ["open", "yes"]
    flight.first_chunk()
    assert may(board) == ["yes", "yes"]
    flight.succeeded()
    fail(board, 4)
    assert may(board) == ["yes", "yes"]


async def test_a_probe_that_breaks_off_after_its_first_chunk_opens_it_again_for_longer(board, clock):
    fail(board)
    clock.pass_by(1)
    flight = await probe(board)
    flight.first_chunk()
    flight.failed("garbled")
    assert board.admissible([KEY, SPARE])[0].seconds == pytest.approx(2.0)


async def test_a_probe_whose_caller_hung_up_frees_the_claim_at_once(board, clock):
    fail(board)
    clock.pass_by(1)
    (await probe(board)).abandoned()
    assert may(board) == ["probe", "yes"]
    assert await board.claim_probe(KEY)
    board.release_probe(KEY)
    assert await board.claim_probe(KEY)


async def test_a_claim_that_no_call_follows_is_free_after_its_time(board, clock):
    fail(board)
    clock.pass_by(1)
    assert await board.claim_probe(KEY)
    clock.pass_by(4.9)
    assert may(board) == ["open", "yes"]
    clock.pass_by(0.2)
    assert may(board) == ["probe", "yes"]
    assert await board.claim_probe(KEY)


async def test_only_the_probe_closes_an_open_circuit(board, clock):
    late = [board.began(KEY) for _ in range(3)]
    fail(board)
    late[0].first_chunk()
    late[0].succeeded()
    late[1].failed("silent")
    board.began(KEY).succeeded()
    assert may(board) == ["open", "yes"]
    assert board.admissible([KEY, SPARE])[0].seconds == pytest.approx(1.0)
    clock.pass_by(1)
    flight = await probe(board)
    late[2].succeeded()
    assert may(board) == ["open", "yes"]
    flight.succeeded()
    assert may(board) == ["yes", "yes"]


async def test_a_probe_that_meets_a_rate_limit_leaves_the_circuit_open_and_lets_it_rest(board, clock):
    fail(board)
    clock.pass_by(1)
    (await probe(board)).failed("rate_limited", 7.0)
    verdict = board.admissible([KEY, SPARE])[0]
    assert (verdict.may, verdict.seconds) == ("open", pytest.approx(7.0))
    clock.pass_by(7)
    assert may(board) == ["probe", "yes"]


@pytest.mark.parametrize(("asked", "granted"), [(None, 1.0), (0.5, 0.5), (20.0, 20.0), (3600.0, 60.0), (-5.0, 0.0)])
def test_a_rate_limit_lets_it_rest_for_as_long_as_asked_within_bounds(board, asked, granted):
    fail(board, 1, "rate_limited", retry_after=asked)
    verdict = board.admissible([KEY, SPARE])[0]
    assert verdict.seconds == pytest.approx(granted)
    assert verdict.may == ("resting" if granted else "yes")
    assert board.circuit(KEY).state == "closed"


def test_rests_without_a_word_double_and_calls_refused_together_are_one_refusal(board, clock):
    seen = []
    for _ in range(8):
        fail(board, 6, "rate_limited")
        seen.append(round(board.admissible([KEY, SPARE])[0].seconds, 6))
        clock.pass_by(seen[-1])
    assert seen == [1, 2, 4, 8, 16, 32, 60, 60]
    board.began(KEY).succeeded()
    fail(board, 1, "rate_limited")
    assert board.admissible([KEY, SPARE])[0].seconds == pytest.approx(1.0)


def test_targets_that_are_all_out_are_tried_by_the_half_that_comes_back_soonest(board, clock):
    fail(board, key=KEY)
    clock.pass_by(0.5)
    fail(board, key=SPARE)
    fail(board, 1, "rate_limited", THIRD, retry_after=30.0)
    assert may(board, KEY) == ["forced"]
    assert may(board, SPARE, KEY) == ["open", "forced"]
    assert may(board, THIRD, SPARE, KEY) == ["resting", "forced", "forced"]
    assert board.admissible([]) == []
    clock.pass_by(0.5)
    assert may(board, THIRD, SPARE, KEY) == ["resting", "open", "probe"]


def test_what_is_wrong_is_counted_by_owner_and_provider_and_shown(board, clock):
    fail(board, key=KEY)
    fail(board, 1, "rate_limited", THIRD, retry_after=30.0)
    assert board.troubles() == {("platform", "openai", "open"): 1, ("t:12ab", "own", "resting"): 1}
    clock.pass_by(2)
    assert board.troubles() == {("platform", "openai", "half_open"): 1, ("t:12ab", "own", "resting"): 1}
    [shown, rests] = board.snapshot()
    assert (shown.circuit, shown.cause, shown.failures, rests.resting) == ("half_open", "failed", 5, 28.0)
    assert shown.opened_at is not None
    assert (clock.now() - shown.opened_at).total_seconds() == pytest.approx(2.0, abs=1e-3)


def test_a_rest_that_is_hardly_longer_is_the_same_rest(clock):
    circuit, call = Circuit(), object()
    told = []
    for _ in range(20):
        told.append(circuit.failed(clock.monotonic(), call, "rate_limited", 20.0, 0.0))
        clock.pass_by(0.1)
    assert told.count(True) == 4


def test_the_gauge_names_the_platforms_providers_and_lumps_the_tenants(board, clock):
    provider = f"gauged-{new_id().hex[-8:]}"

    def gauge(name, state):
        return REGISTRY.get_sample_value("target_circuits_current", {"provider": name, "state": state})

    fail(board, key=f"platform/{provider}/one#")
    fail(board, key=f"platform/{provider}/two#")
    fail(board, key="t:12ab/secret-name/one#")
    metrics.show_circuits(board.troubles())
    assert (gauge(provider, "open"), gauge("tenant", "open"), gauge("secret-name", "open")) == (2, 1, None)
    clock.pass_by(1)
    metrics.show_circuits(board.troubles())
    assert (gauge(provider, "open"), gauge(provider, "half_open"), gauge("tenant", "open")) == (0, 2, 0)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (failures.unreachable(), "unreachable"),
        (failures.reset(), "unreachable"),
        (failures.connected_late(), "unreachable"),
        (failures.silent(), "silent"),
        (failures.cut_short(), "garbled"),
        (UpstreamGarbled("It ended.", code="upstream_cut"), "garbled"),
        (platform_fault(500, None, None), "failed"),
        (platform_fault(503, None, None), "failed"),
        (platform_fault(504, None, None), "silent"),
        (platform_fault(429, None, 3.0), "rate_limited"),
        (platform_fault(429, "insufficient_quota", None), "credential"),
        (platform_fault(401, None, None), "credential"),
        (UpstreamTimeout("Late."), "silent"),
        (UpstreamRefused("No such field.", status=400), "rejected"),
    ],
)
def test_what_an_error_says_of_the_target(error, kind):
    assert cause_of(error) == kind


class AnyCalls(RuleBasedStateMachine):
    """Whatever happens: one probe at most, open for 60 s at most, closed from open by the probe alone."""

    def __init__(self):
        super().__init__()
        self.clock = HeldClock()
        self.circuit = Circuit()
        self.calls: list[object] = []
        self.probe: object | None = None

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 4.0, 61.0]))
    def time_passes(self, seconds):
        self.clock.pass_by(seconds)

    @rule()
    def a_call_begins(self):
        self.calls.append(object())

    @rule()
    def the_probe_begins(self):
        now = self.clock.monotonic()
        if self.circuit.state != "closed" and self.circuit.out_until(now) <= now:
            assert self.probe is None
            self.circuit.claim(now)
            self.circuit.probe = self.probe = object()

    @precondition(lambda self: self.calls)
    @rule(end=st.sampled_from(["success", "silent", "rate_limited", "credential", "rejected", "abandoned"]))
    def a_call_ends(self, end):
        before = self.circuit.state
        self.end(self.calls.pop(0), end)
        assert before == "closed" or self.circuit.state == before

    @precondition(lambda self: self.probe is not None)
    @rule(end=st.sampled_from(["success", "first chunk", "silent", "rate_limited", "credential", "abandoned"]))
    def the_probe_ends(self, end):
        probe, self.probe = self.probe, None
        self.end(probe, end)
        assert self.circuit.state == ("closed" if end in ("success", "first chunk") else "open")

    def end(self, call, end):
        now = self.clock.monotonic()
        if end == "success":
            self.circuit.succeeded(now, call)
        elif end == "first chunk":
            self.circuit.answered(call)
        elif end == "abandoned":
            self.circuit.abandoned(call)
        else:
            self.circuit.failed(now, call, end, None, 0.5)

    @invariant()
    def it_comes_back(self):
        now = self.clock.monotonic()
        assert self.circuit.out_until(now) <= now + 60
        assert (self.circuit.state == "half_open") == (self.probe is not None)
        assert self.circuit.state != "closed" or self.circuit.failures < 5


TestAnyCalls = AnyCalls.TestCase
TestAnyCalls.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
