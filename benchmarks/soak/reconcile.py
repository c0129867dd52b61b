"""Holds the upstream's journal against the ledger, attempt by attempt. Pure: lists in, verdicts out.

The declared estimate of an attempt that did not complete: nothing at least, the intent's estimate of the input plus
one output token for each byte of text that the upstream had handed out at most; where the upstream tells the prompt's
tokens before it answers, these count for the input. What an aborting client had already seen is billed at least: one
token a chunk of text.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.rates import Rates
from benchmarks.report import Check
from benchmarks.soak.client import Sight
from benchmarks.soak.ledger_rows import IntentRow, SettlementRow
from benchmarks.upstream.journal import Ended, Received

Key = tuple[str, int]
TEXT_BYTES_A_CHUNK = 7
TOLD_AT_FIRST = 1
"""Output tokens, where the prompt's are told before the answer."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was recorded by anyone. `ended` by the journal's number; `told_early` are the numbers of those
    whose usage begins with the prompt's, before the answer."""

    received: Sequence[Received]
    ended: Mapping[int, Ended]
    intents: Sequence[IntentRow]
    settlements: Sequence[SettlementRow]
    sights: Sequence[Sight]
    told_early: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class InForce:
    """What the ledger says of an attempt, corrections summed in."""

    settlements: int
    corrections: int
    outcome: str
    usage_source: str
    output_tokens: int
    cost_nano: int
    charge_nano: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One dispatched attempt as the upstream and the ledger know it."""

    received: Received
    ended: Ended | None
    booked: InForce
    intent: IntentRow


@dataclass(slots=True)
class Findings:
    """Attempts that contradict a statement, by statement, with a line each; and how many there were of each kind."""

    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counted: Counter[str] = field(default_factory=Counter)

    def expect(self, statement: str, holds: bool, about: object) -> None:
        """Counts the attempt under the statement, and notes it when the statement doesn't hold for it."""
        self.counted[statement] += 1
        if not holds:
            self.wrong[statement].append(str(about))

    def checks(self) -> list[Check]:
        return [self.check(statement, count) for statement, count in self.counted.items()]

    def check(self, statement: str, count: int) -> Check:
        wrong = self.wrong[statement]
        return Check(statement, f"{len(wrong)} of {count} violate it{self.examples(statement)}", not wrong)

    def examples(self, statement: str) -> str:
        wrong = self.wrong[statement]
        return f": {'; '.join(wrong[:3])}" if wrong else ""


DISPATCHED_ONCE = "every dispatch carries an attempt number of its own"
NOT_LOST = "every dispatched attempt has a settlement (0 lost)"
NOT_DOUBLED = "no attempt has two settlements (0 doubled)"
INTENT_FIRST = "every dispatched attempt had a durable intent"
ALL_SETTLED = "every intent is settled after the reaper's run"
EXACT = "an attempt with the provider's usage costs what that usage says, to the nano-dollar"
USAGE_READ = "a completed attempt is booked with the provider's usage"
TRULY_COMPLETED = "an attempt booked as completed was completed by the upstream"
SEEN_IS_BOOKED = "an answer a client saw whole is booked as completed, or flagged killed"
WITHIN = "an attempt that did not complete costs no more than the declared estimate"
AT_LEAST = "an aborted stream bills at least what its client saw"
KILLED_FLAGGED = "a killed attempt is flagged: outcome killed, usage estimated, nothing charged"
CHARGED = "a completed attempt is charged at its cost, to the nano-dollar"
PHANTOM_FREE = (
    "what never reached the upstream costs the estimate of its input at most, and was hung up, failed or killed"
)


def reconcile(evidence: Evidence, rates: Rates) -> Findings:
    findings = Findings()
    in_force = sum_up(evidence.settlements)
    intents = {(row.request_id, row.attempt): row for row in evidence.intents}
    dispatches = Counter((line.request_id, line.attempt) for line in evidence.received)
    for line in evidence.received:
        key = (line.request_id, line.attempt)
        findings.expect(DISPATCHED_ONCE, dispatches[key] == 1, key)
        findings.expect(INTENT_FIRST, key in intents, key)
        booked = in_force.get(key)
        findings.expect(NOT_LOST, booked is not None, key)
        if booked is not None and key in intents:
            ended = evidence.ended.get(line.number)
            attempt = Attempt(line, ended, booked, intents[key])
            check_attempt(findings, attempt, rates, told_early=line.number in evidence.told_early)
    for key, booked in in_force.items():
        findings.expect(NOT_DOUBLED, booked.settlements == 1, (key, booked))
        if key not in dispatches:
            check_phantom(findings, key, booked, intents.get(key))
    for key in intents:
        findings.expect(ALL_SETTLED, key in in_force, key)
    check_sights(findings, evidence, in_force)
    return findings


def sum_up(rows: Iterable[SettlementRow]) -> dict[Key, InForce]:
    """Rows in the order they were written; the last one's outcome is in force, sums are the truth."""
    grouped: dict[Key, list[SettlementRow]] = defaultdict(list)
    for row in rows:
        grouped[row.request_id, row.attempt].append(row)
    return {key: combine(each) for key, each in grouped.items()}


def combine(rows: Sequence[SettlementRow]) -> InForce:
    corrections = [row for row in rows if row.kind == "correction"]
    last = corrections[-1] if corrections else rows[-1]
    return InForce(
        settlements=sum(row.kind == "settlement" for row in rows),
        corrections=len(corrections),
        outcome=last.outcome,
        usage_source=last.usage_source,
        output_tokens=sum(row.output_tokens for row in rows),
        cost_nano=sum(row.cost_nano for row in rows),
        charge_nano=sum(row.charge_nano for row in rows),
    )


def check_attempt(findings: Findings, attempt: Attempt, rates: Rates, *, told_early: bool) -> None:
    line, end, booked = attempt.received, attempt.ended, attempt.booked
    if booked.outcome == "completed":
        findings.expect(TRULY_COMPLETED, end is not None and end.outcome == "completed", attempt)
        findings.expect(CHARGED, booked.charge_nano == booked.cost_nano, attempt)
    if booked.outcome == "killed":
        findings.expect(KILLED_FLAGGED, booked.usage_source == "estimated" and not booked.charge_nano, attempt)
    if booked.usage_source == "provider":
        # Of an answer that broke off, only what was told before it began.
        only_begun = told_early and booked.outcome != "completed"
        output_tokens = TOLD_AT_FIRST if only_begun else line.output_tokens
        exact = rates.cost(
            input_tokens=line.input_tokens, output_tokens=output_tokens, cached_tokens=line.cached_tokens
        )
        findings.expect(EXACT, booked.cost_nano == exact, f"{attempt} expected {exact}")
        return
    findings.expect(USAGE_READ, booked.outcome != "completed", attempt)
    # While it drips, nobody counts chunks.
    chunks = line.chunks if line.fault == "drip" else (end.chunks_sent if end else 0)
    output = rates.cost(input_tokens=0, output_tokens=chunks * TEXT_BYTES_A_CHUNK, cached_tokens=0)
    prompt = rates.cost(input_tokens=line.input_tokens if told_early else 0, output_tokens=0, cached_tokens=0)
    most = max(attempt.intent.estimated_cost_nano, prompt) + output
    findings.expect(WITHIN, 0 <= booked.cost_nano <= most, f"{attempt} most {most}")


def check_phantom(findings: Findings, key: Key, booked: InForce, intent: IntentRow | None) -> None:
    """An attempt in the ledger that the upstream never saw."""
    limit = 0 if intent is None else intent.estimated_cost_nano
    allowed = booked.outcome in ("not_dispatched", "failed", "aborted", "killed")
    findings.expect(PHANTOM_FREE, allowed and booked.output_tokens == 0 and booked.cost_nano <= limit, (key, booked))


def check_sights(findings: Findings, evidence: Evidence, in_force: Mapping[Key, InForce]) -> None:
    by_request: dict[str, list[InForce]] = defaultdict(list)
    for (request_id, _), booked in in_force.items():
        by_request[request_id].append(booked)
    for sight in evidence.sights:
        attempts = by_request.get(sight.request_id, [])
        if sight.seen == "whole":
            booked_so = any(each.outcome in ("completed", "killed") for each in attempts)
            findings.expect(SEEN_IS_BOOKED, booked_so, (sight, attempts))
        if sight.seen == "hung_up" and sight.chunks and not any(each.outcome == "killed" for each in attempts):
            findings.expect(AT_LEAST, sum(each.output_tokens for each in attempts) >= sight.chunks, (sight, attempts))
