"""A request as a caller sees it: what was decided, what was tried and when, what it cost."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from billing.decisions.reading import Page, Trace
from billing.models import Decision, Intent, Settlement
from common.ids import created_at
from common.money import usd_from_nano

State = Literal["ended", "running", "unrecorded"]

# A request whose attempts have all been settled for longer is not going to have a record: its process died, or was
# too busy to keep it.
SECONDS_TO_RECORD: Final = 60
TOKENS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def request_document(trace: Trace, *, now: datetime) -> dict[str, Any]:
    known = trace.decision if trace.decision is not None else trace.intents[0]
    return {
        "object": "request",
        "id": str(trace.request_id),
        "state": state(trace, now),
        "created_at": time_of(created_at(trace.request_id)),
        "model": known.requested_model,
        "stream": known.stream,
        "api_key_id": text_of(known.api_key_id),
        "user_id": text_of(known.user_id),
        **decided(trace.decision),
        "attempts": attempts(trace),
        **money(sum(each.cost_nano for each in trace.entries), sum(each.charge_nano for each in trace.entries)),
    }


def decided(decision: Decision | None) -> dict[str, Any]:
    """What the record alone can say; nothing of it is known while there is none."""
    if decision is None:
        names = ("route", "strategy", "dialect", "outcome", "error_code", "answered_by", "duration_ms", "cache")
        return {**dict.fromkeys((*names, "limits", "auto", "details")), "considered": []}
    return {
        **summary(decision),
        "limits": decision.limits,
        "auto": decision.auto,
        "details": decision.details,
        "considered": [candidate(each) for each in decision.considered or []],
    }


def summary(decision: Decision) -> dict[str, Any]:
    chosen = (each["target"] for each in decision.considered or [] if each["verdict"] == "chosen")
    return {
        "route": decision.route,
        "strategy": decision.strategy,
        "dialect": decision.dialect,
        "outcome": decision.outcome,
        "error_code": decision.error_code,
        "answered_by": next(chosen, None),
        "duration_ms": decision.duration_ms,
        "cache": decision.cache,
    }


def candidate(stored: Mapping[str, Any]) -> dict[str, Any]:
    names = ("target", "credential", "role", "verdict", "reason", "score")
    return {name: stored.get(name) for name in names}


def state(trace: Trace, now: datetime) -> State:
    if trace.decision is not None:
        return "ended"
    settled = {entry.attempt for entry in trace.entries}
    if any(intent.attempt not in settled for intent in trace.intents):
        return "running"
    last = max(entry.settled_at for entry in trace.entries)
    return "running" if now - last < timedelta(seconds=SECONDS_TO_RECORD) else "unrecorded"


def attempts(trace: Trace) -> list[dict[str, Any]]:
    """Every attempt that the record or the ledger knows, in order; either may know what the other does not."""
    recorded = trace.decision.tried if trace.decision is not None else None
    tried = {each["attempt"]: each for each in recorded or []}
    intents = {intent.attempt: intent for intent in trace.intents}
    return [
        attempt(
            number,
            tried.get(number),
            intents.get(number),
            [entry for entry in trace.entries if entry.attempt == number],
        )
        for number in sorted({*tried, *intents})
    ]


def attempt(
    number: int, tried: Mapping[str, Any] | None, intent: Intent | None, entries: Sequence[Settlement]
) -> dict[str, Any]:
    if tried is not None:
        names = ("target", "credential", "why", "outcome", "error_code", "status")
        known = {name: tried.get(name) for name in names}
        times = (tried.get("at_ms"), tried.get("first_chunk_ms"), tried.get("ended_ms"))
    else:
        assert intent is not None  # noqa: S101 - the number came from one of the two
        known, times = known_to_the_ledger(intent, entries), times_in_the_ledger(intent, entries)
    return {
        "attempt": number,
        **known,
        **dict(zip(("start_ms", "first_chunk_ms", "end_ms"), times, strict=True)),
        **settled(entries),
    }


def known_to_the_ledger(intent: Intent, entries: Sequence[Settlement]) -> dict[str, Any]:
    return {
        "target": f"{intent.provider}/{intent.model}",
        "credential": None,
        "why": None,
        "outcome": entries[-1].outcome if entries else None,
        "error_code": entries[-1].error_code if entries else None,
        "status": None,
    }


def times_in_the_ledger(intent: Intent, entries: Sequence[Settlement]) -> tuple[int, int | None, int | None]:
    start = max(0, round((intent.dispatched_at - created_at(intent.request_id)) / timedelta(milliseconds=1)))
    if not entries:
        return start, None, None
    first = entries[-1].time_to_first_chunk_ms
    return start, None if first is None else start + first, start + entries[-1].duration_ms


def settled(entries: Sequence[Settlement]) -> dict[str, Any]:
    """The last entry says how it was: a correction speaks for the settlement that it corrects. Figures are sums."""
    if not entries:
        names = ("finish_reason", "usage", "usage_source", "price_version")
        return {"settled": False, **dict.fromkeys(names), **money(0, 0)}
    last = entries[-1]
    return {
        "settled": True,
        "finish_reason": last.finish_reason,
        "usage": {name: sum(getattr(entry, name) for entry in entries) for name in TOKENS},
        "usage_source": last.usage_source,
        "price_version": last.price_version,
        **money(sum(entry.cost_nano for entry in entries), sum(entry.charge_nano for entry in entries)),
    }


def page_document(page: Page) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [entry_document(page, decision) for decision in page.decisions],
        "has_more": page.has_more,
    }


def entry_document(page: Page, decision: Decision) -> dict[str, Any]:
    return {
        "object": "request",
        "id": str(decision.request_id),
        "created_at": time_of(created_at(decision.request_id)),
        "model": decision.requested_model,
        "stream": decision.stream,
        "api_key_id": text_of(decision.api_key_id),
        "user_id": text_of(decision.user_id),
        **summary(decision),
        "attempts": len(decision.tried or []),
        **money(page.cost.get(decision.request_id, 0), page.charged.get(decision.request_id, 0)),
    }


def money(cost_nano: int, charge_nano: int) -> dict[str, Any]:
    return {
        "cost_nano_usd": int(cost_nano),
        "cost_usd": f"{usd_from_nano(int(cost_nano)):f}",
        "charge_nano_usd": int(charge_nano),
        "charge_usd": f"{usd_from_nano(int(charge_nano)):f}",
    }


def time_of(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text_of(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)
