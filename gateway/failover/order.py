"""Which target is next, given what has gone wrong so far. Pure."""

from collections import deque

from gateway.causes import OF_THE_TARGET, Cause
from gateway.routing.plan import Plan, Planned
from providers.catalogue import Candidate


class Order:
    """The targets of one request. `next` gives each of them once; `failed` says what became of it."""

    def __init__(self, plan: Plan) -> None:
        self._left = deque(plan.order)
        self._fallbacks = plan.fallbacks
        self._seen: set[str] = set()
        self._refused_models: set[str] = set()
        self._called: set[str] = set()

    def left(self) -> list[Planned]:
        """Those that are still to come, without what a failure may add."""
        return [each for each in self._left if self._may(each.candidate)]

    def next(self) -> Planned | None:
        while self._left:
            planned = self._left.popleft()
            if self._may(planned.candidate):
                self._seen.add(planned.candidate.target.key)
                return planned
        return None

    def has_fallback(self, cause: str) -> bool:
        return any(each.cause == cause for each in self._fallbacks)

    def failed(self, planned: Planned, cause: Cause) -> None:
        target = planned.candidate.target
        match cause:
            case "rejected":
                self._end()
            case "content_refused":
                self._end()
                self._refused_models.add(target.model)
                self._call("content_refused")
            case "context_too_long":
                self._left = deque(each for each in self._left if reads_more(each.candidate, planned.candidate))
                self._call("context_too_long")
            case "rate_limited":
                self._call("rate_limited")
            case _ if cause in OF_THE_TARGET:
                self._put_last(planned.candidate)
        if cause not in ("rejected", "content_refused"):
            self._call("any")

    def _may(self, candidate: Candidate) -> bool:
        return candidate.target.key not in self._seen and candidate.target.model not in self._refused_models

    def _end(self) -> None:
        self._left.clear()

    def _put_last(self, candidate: Candidate) -> None:
        """The same model under another credential would most likely fail alike."""
        same = [each for each in self._left if same_model(each.candidate, candidate)]
        if same:
            self._left = deque([*(each for each in self._left if each not in same), *same])

    def _call(self, cause: str) -> None:
        if cause not in self._called:
            self._called.add(cause)
            self._left.extend(Planned(each, f"fallback_{cause}") for each in self._fallbacks if each.cause == cause)


def same_model(one: Candidate, other: Candidate) -> bool:
    return (one.target.provider, one.target.model) == (other.target.provider, other.target.model)


def reads_more(one: Candidate, than: Candidate) -> bool:
    """Where the size of either is unknown there is no telling, and the request is not sent twice in vain."""
    window, tried = one.target.context_window, than.target.context_window
    return window is not None and tried is not None and window > tried
