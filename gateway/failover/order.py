"""Which target is next, given what has gone wrong so far. Pure."""

from collections import deque

from gateway.causes import OF_THE_TARGET, Cause
from gateway.routing.plan import Plan, Planned
from providers.catalogue import Candidate


class Order:
    """The targets of one request. `next` gives each of them once; `failed` says what became of it.

    What was wrong with the request itself is never forgotten: a rejection ends everything, after a refusal of its
    content only the fallbacks for that are left, and after too long a context only models that read more.
    """

    def __init__(self, plan: Plan) -> None:
        self._left = deque(plan.order)
        self._fallbacks = plan.fallbacks
        self._seen: set[str] = set()
        self._called: set[str] = set()
        self._rejected = False
        self._refused_models: set[str] = set()
        self._too_long_for: list[Candidate] = []

    def left(self) -> list[Planned]:
        """Those that are still to come, without what a failure may add."""
        return [each for each in self._left if self._is_new(each.candidate)]

    def next(self) -> Planned | None:
        while self._left:
            planned = self._left.popleft()
            if self._is_new(planned.candidate):
                self._seen.add(planned.candidate.target.key)
                return planned
        return None

    def has_fallback(self, cause: str) -> bool:
        return any(each.cause == cause for each in self._fallbacks)

    def may(self, candidate: Candidate) -> bool:
        """Whether the request may go there, whether or not it has been there."""
        if self._rejected:
            return False
        if self._refused_models and candidate.cause != "content_refused":
            return False
        return candidate.target.model not in self._refused_models and all(
            may_read_more(candidate, tried) for tried in self._too_long_for
        )

    def failed(self, planned: Planned, cause: Cause) -> None:
        candidate = planned.candidate
        match cause:
            case "rejected":
                self._rejected = True
            case "content_refused":
                self._refused_models.add(candidate.target.model)
                self._call("content_refused")
            case "context_too_long":
                self._too_long_for.append(candidate)
                self._call("context_too_long")
            case "rate_limited":
                self._call("rate_limited")
            case _ if cause in OF_THE_TARGET:
                self._put_last(candidate)
        self._call("any")

    def _is_new(self, candidate: Candidate) -> bool:
        return candidate.target.key not in self._seen and self.may(candidate)

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
    return one.target.name == other.target.name


def may_read_more(one: Candidate, than: Candidate) -> bool:
    """Where the size of either is unknown there is no telling: then the route must have named it for this case."""
    if same_model(one, than):
        return False
    window, tried = one.target.context_window, than.target.context_window
    if window is None or tried is None:
        return one.cause == "context_too_long"
    return window > tried
