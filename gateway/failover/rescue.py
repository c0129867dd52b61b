"""An answer that breaks off after its first byte, gone on with by whoever can."""

from common.errors import InvalidRequest, OrchestratorError, UpstreamError
from gateway.attempt import Attempt
from gateway.causes import OF_THE_REQUEST, cause_of
from gateway.failover.attempts import RESCUED, Attempts
from gateway.failover.turns import Answered, Turn, Turns
from providers.route_policy import MidStream, RoutePolicy
from providers.wire.resuming import PREFILL, Mode, Said, resuming, said_of
from providers.wire.shapes import Chunk, Target


class Rescued:
    """The chunks of an answer, as `Attempt` gives them, whoever writes them.

    Raises what broke the answer off where nobody can go on with it.
    """

    def __init__(self, answered: Answered, attempts: Attempts, turns: Turns, policy: MidStream) -> None:
        self.attempt, self._turn = answered
        self.content_type, self.dropped = self.attempt.content_type, self.attempt.dropped
        self._attempts = attempts
        self._turns = turns
        self._policy = policy
        self._said: Said | None = None

    @property
    def answered_by(self) -> str:
        """The last to do so."""
        return self.attempt.answered_by

    @property
    def sole_attempt(self) -> Attempt | None:
        """None where more than one had to answer."""
        return self.attempt if self._said is None else None

    def __aiter__(self) -> "Rescued":
        return self

    async def __anext__(self) -> list[Chunk]:
        while True:
            try:
                return await self.attempt.__anext__()
            except UpstreamError as error:
                await self._go_on(error)

    async def _go_on(self, error: UpstreamError) -> None:
        """Returns with an attempt that has gone on. Raises `error` when there is none."""
        said = self._said or said_by(self.attempt)
        if said is None or said.hindrance:
            raise error
        self._said = said
        await self._attempts.end(self.attempt, error)
        self._turns.failed(self._turn.planned, error)
        while (turn := await self._next_turn()) is not None:
            failure = await self._resume(said, turn)
            if failure is None:
                return
            self._turns.failed(turn.planned, failure)
        raise error

    async def _next_turn(self) -> Turn | None:
        """None as well where all others are busy: what broke the answer off is what is told."""
        try:
            return await self._turns.next()
        except OrchestratorError:
            return None

    async def _resume(self, said: Said, turn: Turn) -> OrchestratorError | None:
        """What went wrong, if anything did: last of all with an answer from the beginning."""
        failure: OrchestratorError | None = None
        for mode in modes(turn.target, self._policy):
            now = turn._replace(why=mode) if failure is None else await self._turns.renewed(turn, mode)
            if now is None:
                break
            try:
                wire = resuming(said, self._attempts.call.request, turn.target, mode)
                self.attempt = await self._attempts.begin(now, wire)
            except (UpstreamError, InvalidRequest) as error:
                failure = error
                if cause_of(error) not in OF_THE_REQUEST:
                    break
            else:
                self._turn = now
                return None
        return failure


def rescued(answered: Answered, attempts: Attempts, turns: Turns, policy: RoutePolicy | None) -> Attempt | Rescued:
    """The answer, which others go on with where the route says so."""
    if policy is None or not attempts.call.request.stream or policy.mid_stream not in RESCUED:
        return answered[0]
    return Rescued(answered, attempts, turns, policy.mid_stream)


def said_by(attempt: Attempt) -> Said | None:
    pieces = None if attempt.tap is None else attempt.tap.pieces
    if pieces is None or attempt.parser is None:
        return None
    return said_of(attempt.request, attempt.target, b"".join(pieces), attempt.parser)


def modes(target: Target, policy: MidStream) -> tuple[Mode, ...]:
    """A target that refuses to go on where another stopped is asked for an answer of its own."""
    return ("continue", "restart") if policy == "continue" and PREFILL in target.capabilities else ("restart",)
