"""The attempts of one request: each is begun, and each comes to one end."""

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from common.errors import OrchestratorError, UpstreamError, UpstreamTimeout
from gateway.attempt import Attempt
from gateway.cache.taps import Tap
from gateway.calls import Call, Caller
from gateway.causes import cause_of
from gateway.deciding import Deciding
from gateway.failover.turns import Turn
from gateway.settling import ending_of, settle
from gateway.targets.flight import Flight
from providers.route_policy import MidStream
from providers.wire.shapes import Target, Usage, WireAdapter

if TYPE_CHECKING:
    from gateway.services import Services

RESCUED: Final = frozenset[MidStream](("continue", "restart"))
KEPT_FOR_RESCUE: Final = 1_048_576
"""Bytes of a stream that another target may have to go on with."""


class Begun(NamedTuple):
    turn: Turn
    flight: Flight


class Attempts:
    """Those under way have been begun and not been settled."""

    def __init__(
        self, services: "Services", call: Call, caller: Caller, deciding: Deciding, *, input_tokens: int
    ) -> None:
        policy = deciding.policy
        self.call = call
        self._services = services
        self._caller = caller
        self._deciding = deciding
        self._input_tokens = input_tokens
        self._slowest = None if policy is None else policy.slowest_tokens_per_second
        self._rescued = policy is not None and call.request.stream and policy.mid_stream in RESCUED
        self._under_way: dict[Attempt, Begun] = {}
        self._count = 0

    async def begin(self, turn: Turn, wire: WireAdapter | None = None) -> Attempt:
        """The attempt, with the first of its answer in hand. One that fails is settled before its error is raised.

        Raises UpstreamError; InvalidRequest for what the target cannot express; Unavailable.
        """
        key = turn.target.key
        try:
            attempt = self.new(turn.target, wire)
        except BaseException:
            turn.place.release()
            if turn.probe:
                self._services.board.release_probe(key)
            raise
        self._deciding.asked(turn.planned.candidate)
        flight = self._services.board.began(key, probe=turn.probe)
        self._under_way[attempt] = Begun(turn, flight)
        try:
            await attempt.begin()
        except OrchestratorError as error:
            await self.end(attempt, error)
            raise
        flight.first_chunk(attempt.seconds_to_first_chunk)
        return attempt

    def new(self, target: Target, wire: WireAdapter | None = None, *, tapped: bool = True) -> Attempt:
        """One that is `tapped` is to be ended by `end`. Raises InvalidRequest for what the target cannot express."""
        attempt = Attempt(
            self._services,
            self.call,
            self._caller,
            target,
            number=self.next_number(),
            input_tokens=self._input_tokens,
            wire=wire,
            tap=self._tap() if tapped else None,
        )
        attempt.slowest = self._slowest
        return attempt

    def _tap(self) -> Tap | None:
        """For the cache, or for whoever may have to go on with the answer."""
        question, taps = self._deciding.question, self._services.taps
        if question is not None:
            return taps.tap(question.rule.most_bytes, stream=self.call.request.stream)
        return Tap(taps, KEPT_FOR_RESCUE) if self._rescued else None

    async def end(self, attempt: Attempt, error: BaseException | None, *, unseen: bool = False) -> None:
        """Settles an attempt, then lets go of its connection. `unseen`: the caller has had nothing of its answer."""
        self._settle(attempt, error, blamed=error, unseen=unseen)
        await attempt.close()

    async def end_all_but(self, winner: Attempt) -> None:
        for attempt in [each for each in self._under_way if each is not winner]:
            await self.end(attempt, None, unseen=True)

    def settle_all(self, error: BaseException | None) -> list[Attempt]:
        """Those that are to be closed yet; without awaiting, so that nothing comes between."""
        ended = list(self._under_way)
        for attempt in ended:
            self._settle(attempt, error, blamed=attempt.failure)
        return ended

    def next_number(self) -> int:
        self._count += 1
        return self._count

    @property
    def tenant_id(self) -> UUID:
        return self._caller.config.tenant_id

    def _settle(
        self,
        attempt: Attempt,
        error: BaseException | None,
        *,
        blamed: BaseException | None,
        unseen: bool = False,
    ) -> None:
        """`error` is how the attempt ended, `blamed` what the target had to do with it."""
        begun, dispatched_at = self._under_way.pop(attempt), attempt.began
        begun.turn.place.release()
        if attempt.tap is not None:
            attempt.tap.close()
        if dispatched_at is None:
            begun.flight.abandoned()
            return
        at_fault = is_at_fault(attempt, blamed)
        ending = ending_of(attempt, error, free=unseen or at_fault)
        settle(self._services, attempt, ending)
        self._deciding.ended(attempt, begun.turn.why, ending, dispatched_at)
        if attempt.first_chunk_at is not None and not unseen:
            self._deciding.answered_by(attempt.target.key)
        land(begun.flight, attempt, blamed if at_fault else None)


def is_at_fault(attempt: Attempt, error: BaseException | None) -> bool:
    """Whether the target is to blame: not for an answer that only this request had no use for, and not for taking more
    time than a hurried caller leaves it. What a caller can bring about by itself costs others nothing."""
    if not isinstance(error, UpstreamError) or cause_of(error) == "unsuitable":
        return False
    return not (attempt.target.hurried and isinstance(error, UpstreamTimeout))


def land(flight: Flight, attempt: Attempt, error: BaseException | None) -> None:
    """Tells the board how it went."""
    if attempt.complete:
        usage = attempt.meter.usage or Usage()
        flight.succeeded(usage.output_tokens, usage.cache_read_tokens / max(1, usage.input_tokens))
    elif isinstance(error, UpstreamError):
        flight.failed(cause_of(error), error.retry_after)
    else:
        flight.abandoned()
