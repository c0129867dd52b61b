"""What is to be told of one request, gathered on its way: whom it could have gone to, whom it went to, how it ended."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from billing.decisions.records import CacheOutcome, Considered, Decision, Outcome, Tried, Verdict, Why
from billing.limits.admission import Admitted
from common.errors import OrchestratorError
from gateway.cache.question import Question
from gateway.calls import Call, Caller, OverLimit
from gateway.routing.plan import Plan, Planned, auto_words
from providers.catalogue import Candidate, Resolution
from providers.route_policy import RoutePolicy
from providers.wire.shapes import Target

if TYPE_CHECKING:
    from gateway.attempt import Attempt
    from gateway.settling import Ending


class Deciding:
    """One request's story. `question` is there where the answer is to be kept."""

    __slots__ = (
        "_answered_by", "_began", "_reasons", "_verdicts", "cache", "call", "caller", "details", "plan",
        "question", "resolution", "tried",
    )  # fmt: skip

    def __init__(self, call: Call) -> None:
        self.call = call
        self.caller: Caller | None = None
        self.resolution: Resolution | None = None
        self.plan: Plan | None = None
        self.cache: CacheOutcome = "off"
        self.question: Question | None = None
        self.details: dict[str, Any] | None = None
        self.tried: list[Tried] = []
        self._began = call.began
        self._reasons: dict[str, str] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._answered_by = ""

    @property
    def policy(self) -> RoutePolicy | None:
        """The route's; None where a model was asked for by its own name."""
        route = None if self.resolution is None else self.resolution.route
        return None if route is None else route.policy

    def passed_over(self, candidate: Candidate, reason: str) -> None:
        self._reasons[candidate.target.key] = reason
        self._verdicts.setdefault(candidate.target.key, "skipped")

    def asked(self, candidate: Candidate) -> None:
        self._verdicts[candidate.target.key] = "tried"

    def answered_by(self, key: str) -> None:
        """The last to do so: another may have gone on with what it began."""
        self._answered_by = key

    def ended(self, attempt: "Attempt", why: Why, ending: "Ending", began: float) -> None:
        """One attempt; `began` on the loop's clock."""
        target = attempt.target
        at_ms = round((began - self._began) * 1000)
        first = ending.time_to_first_chunk_ms
        self.tried.append(
            Tried(
                attempt=attempt.intent.attempt,
                target=target.name,
                credential=shown_credential(target),
                why=why,
                at_ms=at_ms,
                ended_ms=at_ms + ending.duration_ms,
                outcome=ending.outcome,
                first_chunk_ms=None if first is None else at_ms + first,
                error_code=ending.error_code,
                status=attempt.vendor_status,
            )
        )

    def record(self, outcome: Outcome, error: BaseException | None, now: datetime) -> Decision:
        call, caller = self.call, self.caller
        config, key = (
            (call.identified.config, call.identified.record) if caller is None else (caller.config, caller.record)
        )
        admitted = error.admitted if isinstance(error, OverLimit) else None if caller is None else caller.admitted
        resolution = self.resolution
        route = None if resolution is None else resolution.route
        return Decision(
            request_id=call.request_id,
            tenant_id=config.tenant_id,
            api_key_id=key.id,
            user_id=key.user_id,
            requested_model=call.request.model,
            dialect=call.request.dialect,
            stream=call.request.stream,
            outcome=outcome,
            decided_at=now,
            duration_ms=round((asyncio.get_running_loop().time() - self._began) * 1000),
            route=None if route is None else route.name,
            strategy=None if route is None else route.strategy,
            error_code=error.code if isinstance(error, OrchestratorError) else None,
            cache=self.cache,
            considered=() if self.plan is None else tuple(self._considered(self.plan)),
            tried=tuple(self.tried),
            limits=limits_of(admitted),
            auto=None if self.plan is None or route is None else auto_words(self.plan, route),
            details=self.details,
        )

    def _considered(self, plan: Plan) -> Sequence[Considered]:
        found = [self._of(each) for each in plan.order]
        found += [self._of(each) for each in plan.skipped]
        for each in plan.fallbacks:
            if each.target.key in self._verdicts:
                found.append(self._of(Planned(each, f"fallback_{each.cause}")))
        return found

    def _of(self, planned: Planned) -> Considered:
        candidate = planned.candidate
        key, target = candidate.target.key, candidate.target
        return Considered(
            target=target.name,
            credential=shown_credential(target),
            role=candidate.role,
            verdict="chosen" if key == self._answered_by else self._verdicts.get(key, "not_needed"),
            reason=self._reasons.get(key, planned.reason),
            score=planned.score,
        )


def shown_credential(target: Target) -> str | None:
    """A label; what the operator calls the platform's own stays with the operator."""
    return target.credential or None if target.provider_scope == "tenant" else None


def limits_of(admitted: Admitted | None) -> Mapping[str, Any] | None:
    if admitted is None or admitted.limit is None:
        return None
    return {"requests_per_minute": admitted.limit, "remaining": admitted.remaining, "allowed": admitted.allowed}
