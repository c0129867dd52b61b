"""The values of a decision record. Times are aware and in UTC; milliseconds count from when the request began."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

Role = Literal["target", "canary", "fallback", "shadow"]
Verdict = Literal["chosen", "tried", "skipped", "not_needed"]
Why = Literal["first", "failover", "retry", "hedge", "continue", "restart", "shadow", "next_credential"]
Outcome = Literal["answered", "failed", "cut", "aborted", "cached", "refused"]
CacheOutcome = Literal["off", "hit", "miss", "bypass", "stored"]


class Considered(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A candidate and what became of it. `target` is "provider/model".

    `reason` is a short machine word: the strategy that put it there, or what kept it out. What a `score` means,
    and whether more is better, is the strategy's.
    """

    target: str
    credential: str | None
    role: Role
    verdict: Verdict
    reason: str
    score: float | None = None


class Tried(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One attempt. `attempt` is its number in the ledger; `status` is the vendor's.

    `first_chunk_ms` and `ended_ms` count from the beginning of the request too, not from `at_ms`.
    """

    attempt: int
    target: str
    credential: str | None
    why: Why
    at_ms: int
    ended_ms: int
    outcome: str
    first_chunk_ms: int | None = None
    error_code: str | None = None
    status: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What was decided for one request, made when it has ended.

    `considered` is in the order of preference, `tried` in the order of time. `limits` holds the outcome of budget and
    rate limits, `auto` what the classifier said, `details` whatever else explains; JSON values under short names.
    """

    request_id: UUID
    tenant_id: UUID
    api_key_id: UUID | None
    user_id: UUID | None
    requested_model: str
    dialect: str
    stream: bool
    outcome: Outcome
    decided_at: datetime
    duration_ms: int
    route: str | None = None
    strategy: str | None = None
    error_code: str | None = None
    cache: CacheOutcome = "off"
    considered: tuple[Considered, ...] = ()
    tried: tuple[Tried, ...] = ()
    limits: Mapping[str, Any] | None = None
    auto: Mapping[str, Any] | None = None
    details: Mapping[str, Any] | None = None
