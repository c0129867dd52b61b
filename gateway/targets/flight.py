"""One call to a target, from its dispatch to its end, as the board is told of it."""

from typing import TYPE_CHECKING

from gateway.causes import Cause

if TYPE_CHECKING:
    from gateway.targets.board import Board, Standing


class Flight:
    """Exactly one of `succeeded`, `failed` and `abandoned` ends it; what comes after the end changes nothing."""

    __slots__ = ("_answered", "_board", "_over", "began_at", "probe", "standing")

    def __init__(self, board: "Board", standing: "Standing", began_at: float, probe: bool) -> None:
        self._board = board
        self._answered = self._over = False
        self.standing = standing
        self.began_at = began_at
        self.probe = probe

    def first_chunk(self, seconds: float | None = None) -> None:
        """The first of the answer is there, `seconds` after dispatch; without it: now."""
        if self._over or self._answered:
            return
        self._answered = True
        now = self._board.monotonic()
        standing = self.standing
        standing.vitals.first_chunk(self, now - self.began_at if seconds is None else seconds, now)
        if self.probe:
            self.probe = False
            standing.circuit.answered(self)
            self._board.changed(standing, probed=True)

    def succeeded(self, output_tokens: int = 0, cached_share: float | None = None) -> None:
        """A whole answer. `cached_share`: of the prompt's tokens those from the provider's cache, if it said so."""
        if self._over:
            return
        self._over = True
        standing = self.standing
        standing.vitals.ended(self)
        standing.vitals.answered(output_tokens, cached_share)
        if standing.circuit.succeeded(self._board.monotonic(), self) or self.probe:
            self._board.changed(standing, probed=self.probe)

    def failed(self, cause: Cause, retry_after: float | None = None) -> None:
        """`retry_after` in seconds, for "rate_limited"."""
        if self._over:
            return
        self._over = True
        board, standing, now = self._board, self.standing, self._board.monotonic()
        if cause == "silent" and not self._answered:
            standing.vitals.waited_in_vain(now - self.began_at, now)
        standing.vitals.ended(self)
        if standing.circuit.failed(now, self, cause, retry_after, board.draw()) or self.probe:
            board.changed(standing, probed=self.probe)

    def abandoned(self) -> None:
        """The caller hung up, or another target was faster."""
        if self._over:
            return
        self._over = True
        vitals = self.standing.vitals
        vitals.ended(self)
        if not self._answered:
            now = self._board.monotonic()
            vitals.waited_in_vain(now - self.began_at, now)
        if self.probe:
            self.standing.circuit.abandoned(self)
            self._board.release_claim(self.standing.key)
