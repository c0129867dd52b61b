"""The first target to answer. Everything here happens before the caller has seen a byte."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from common.errors import UpstreamError
from gateway import metrics
from gateway.attempt import Attempt
from gateway.calls import Call, Caller
from gateway.estimates import estimated_input_tokens
from gateway.settling import settle
from providers.wire.shapes import Target

if TYPE_CHECKING:
    from gateway.services import Services


class Attempts:
    """The attempts of one request, one after the other; `current` is the one that has not been settled."""

    def __init__(self, services: "Services", call: Call, caller: Caller) -> None:
        self._services = services
        self._call = call
        self._caller = caller
        self._input_tokens = estimated_input_tokens(call.request)
        self.current: Attempt | None = None

    async def first_to_answer(self, targets: Sequence[Target]) -> Attempt:
        """Tries the targets in order. Raises the last one's UpstreamError, or the first that no other target mends."""
        last = len(targets)
        for number, target in enumerate(targets, 1):
            self.current = attempt = self._attempt(target, number)
            try:
                await attempt.begin()
            except UpstreamError as error:
                if number == last or not may_be_mended(error):
                    raise
                metrics.record_failover(target)
                await self.end(error)
            else:
                return attempt
        raise UpstreamError("No target is configured for this model.")

    def _attempt(self, target: Target, number: int) -> Attempt:
        return Attempt(self._services, self._call, self._caller, target, number=number, input_tokens=self._input_tokens)

    async def end(self, error: BaseException | None) -> None:
        """Settles the current attempt, then lets go of its connection."""
        attempt, self.current = self.current, None
        if attempt is not None:
            settle(self._services, attempt, error)
            await attempt.close()


def may_be_mended(error: UpstreamError) -> bool:
    """Whether another target may answer where this one did not: not when it was the request that was wrong."""
    return error.status >= 500 or error.status == 429
