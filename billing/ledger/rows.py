"""The values of the ledger. Money is integer nano-USD, times are aware and in UTC."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from providers.wire.shapes import Usage

UsageSource = Literal["provider", "counted", "estimated", "none"]
Outcome = Literal["completed", "aborted", "failed", "cut", "killed", "not_dispatched"]
ProviderScope = Literal["platform", "tenant"]


class Intent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt about to be dispatched. Durable before the first byte leaves for the provider.

    `attempt` counts from 1 within a request. The estimate is of the input alone: what a killed
    attempt surely cost. `dispatched_at` is the clock of the process, close before `open`. `price_version`
    is None for a model without a known price.
    """

    request_id: UUID
    attempt: int
    tenant_id: UUID
    api_key_id: UUID | None
    user_id: UUID | None
    provider: str
    provider_scope: ProviderScope
    model: str
    requested_model: str
    stream: bool
    process_id: UUID
    dispatched_at: datetime
    estimated_input_tokens: int
    estimated_cost_nano: int
    price_version: str | None


class Settlement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the attempt of an intent ended, and what it cost.

    `cost_nano` is what the provider takes, `charge_nano` what the tenant pays. Without a price version the cost is 0
    and means nothing. Only the reaper writes the outcome `killed`.
    """

    intent: Intent
    usage: Usage
    usage_source: UsageSource
    cost_nano: int
    charge_nano: int
    outcome: Outcome
    finish_reason: str | None
    error_code: str | None
    time_to_first_chunk_ms: int | None
    duration_ms: int


def not_dispatched(intent: Intent, *, error_code: str) -> Settlement:
    """Closes an intent that may have become durable although nothing was sent."""
    return Settlement(
        intent=intent,
        usage=Usage(),
        usage_source="none",
        cost_nano=0,
        charge_nano=0,
        outcome="not_dispatched",
        finish_reason=None,
        error_code=error_code,
        time_to_first_chunk_ms=None,
        duration_ms=0,
    )
