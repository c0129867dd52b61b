"""Random faults under load: no truncated answer looks complete, nobody waits beyond the deadline, the ledger is exact.

Three upstreams, two of the OpenAI wire and one of Anthropic's, behind routes of every policy for what breaks off, on
two web workers. What an upstream answers is known beforehand, so that every answer that looks complete is held against
it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.asking import Asker, Heard, Question
from benchmarks.farm import farm, route
from benchmarks.load.percentiles import percentile
from benchmarks.platform import Extras
from benchmarks.rates import Rates
from benchmarks.report import Check, Report
from benchmarks.series import Series
from benchmarks.soak.client import Seen, Sight
from benchmarks.soak.fault_script import TOTAL_SECONDS, Scripted, write_fault_script
from benchmarks.soak.ledger import settle_all
from benchmarks.soak.ledger_rows import read_decisions, read_ledger
from benchmarks.soak.reconcile import Evidence, Findings, reconcile, sum_up

Progress = Callable[[str], None]
WORKERS = 2
IN_FLIGHT = 32
UPSTREAMS = ("one", "two", "third")
GRACE_SECONDS = 1.0
"""What an answer may take beyond its deadline on a busy machine."""
DEADLINES = {"connect": 2, "headers": 1, "first_chunk": 1, "between_chunks": 0.7}
ROUTES = (
    route("continue", UPSTREAMS, "priority", mid_stream="continue", deadlines=DEADLINES, slowest_tokens_per_second=5),
    route("restart", UPSTREAMS, "round_robin", mid_stream="restart", deadlines=DEADLINES, retries=1),
    route("buffer", UPSTREAMS, "latency", mid_stream="buffer", deadlines=DEADLINES),
    route("error", UPSTREAMS, "least_busy", mid_stream="error", deadlines=DEADLINES),
    route("hedged", UPSTREAMS, "weighted", hedge={"after_ms": 200, "percent": 50}, deadlines=DEADLINES),
)
TELLS_EARLY = "third"
EXTRAS = Extras(ROUTES, {TELLS_EARLY: {"wire": "anthropic"}}, {"capabilities": ["prefill"]})

COMPLETE = "what looks complete is the whole answer, and nothing else (0 truncated)"
TOLD = "what is not complete ends with an error that says so (0 silent ends)"
IN_TIME = f"nobody waits more than {GRACE_SECONDS:g} s beyond the deadline of {TOTAL_SECONDS:g} s (0 hangs)"
BEGINNING = "what came before an error is the beginning of the answer"
MENDED = "a fault of the first target alone is mended where nothing had been said yet"
ON_RECORD = "every request has its decision record"
RECORDED_AS_SEEN = "the record says of an answer what its caller saw, and tells of as many attempts as the ledger"
BREAKS_OFF = ("cut", "stall", "truncated", "no_finish", "error_event")
GONE_ON_WITH = "a stream that breaks off once is gone on with by another target, where the route says so"
SILENT_UNTIL_THEN = ("status", "reset", "silent", "garbage")


@dataclass(frozen=True, slots=True)
class Told:
    """A question and what came of it."""

    asked: Scripted
    heard: Heard


def soak(progress: Progress, *, faults: int = 1000, seed: int = 4) -> Report:
    script = write_fault_script(faults=faults, seed=seed)
    with farm(progress, dict.fromkeys(UPSTREAMS, ()), EXTRAS, workers=WORKERS) as scene:
        progress(f"{len(script)} questions")
        started = time.monotonic()
        told = asyncio.run(ask_all(scene.platform.base_url, scene.platform.api_key, script, progress))
        seconds = time.monotonic() - started
        own_proof = settle_all(scene.platform, progress)
        intents, settlements = read_ledger(scene.platform)
        decisions = read_decisions(scene.platform)
        received, ended = scene.whole_journal()
    told_early = frozenset(line.number for line in received if scene.asked(line) == TELLS_EARLY)
    sights = [sight(number, each.heard) for number, each in enumerate(told)]
    findings = reconcile(Evidence(received, ended, intents, settlements, sights, told_early), Rates())
    # An attempt that was called off before it left is in the ledger, and in no record.
    by_attempt = sum_up(settlements)
    attempts = Counter(request_id for (request_id, _), each in by_attempt.items() if each.outcome != "not_dispatched")
    for each in told:
        judge(findings, each)
        check_record(findings, decisions.get(each.heard.request_id), attempts[each.heard.request_id], each)
    struck = sum(line.fault != "none" for line in received)
    enough = Check(f"at least {faults} faults struck", str(struck), struck >= faults)
    booked = by_attempt.values()
    return Report(
        name="soak-faults",
        title="Random faults under load, through routes",
        parameters={
            "seed": seed,
            "questions": len(script),
            "seconds": round(seconds, 1),
            "attempts": len(received),
            "faults": dict(Counter(line.fault for line in received if line.fault != "none")),
            "clients saw": dict(Counter(each.heard.seen for each in told)),
            "errors told": dict(Counter(each.heard.code for each in told if each.heard.seen == "error")),
            "ledger's outcomes": dict(Counter(each.outcome for each in booked)),
            "usage sources": dict(Counter(each.usage_source for each in booked)),
        },
        checks=[enough, *findings.checks(), own_proof],
        series=times(told),
    )


async def ask_all(base_url: str, api_key: str, script: Sequence[Scripted], progress: Progress) -> list[Told]:
    told: list[Told] = []
    waiting = iter(script)

    async def one_client(asker: Asker) -> None:
        for asked in waiting:
            told.append(Told(asked, await asker.ask(asked.question)))
            if len(told) % 250 == 0:
                progress(f"{len(told)}/{len(script)} answered")

    async with Asker(base_url, api_key) as asker:
        await asyncio.gather(*(one_client(asker) for _ in range(IN_FLIGHT)))
    return told


def judge(findings: Findings, told: Told) -> None:
    heard, whole = told.heard, told.asked.text
    if heard.seen in ("whole", "both"):
        findings.expect(COMPLETE, heard.seen == "whole" and heard.text == whole, told)
    else:
        findings.expect(TOLD, heard.seen == "error", told)
        findings.expect(BEGINNING, whole.startswith(heard.text), told)
    findings.expect(IN_TIME, heard.seconds <= TOTAL_SECONDS + GRACE_SECONDS, told)
    plan = told.asked.question.plan
    if plan.get("attempts") == 1 and plan["fault"] in SILENT_UNTIL_THEN:
        findings.expect(MENDED, heard.seen == "whole", told)
    if broke_off_once(told.asked.question):
        findings.expect(GONE_ON_WITH, heard.seen == "whole", told)


def check_record(findings: Findings, record: tuple[str, int] | None, attempts: int, told: Told) -> None:
    """`record`: outcome and number of attempts, as the decision record has them."""
    findings.expect(ON_RECORD, record is not None, told)
    if record is not None:
        outcome, tried = record
        right = (outcome == "answered") == (told.heard.seen == "whole")
        findings.expect(RECORDED_AS_SEEN, right and tried == attempts, (record, attempts, told))


def sight(number: int, heard: Heard) -> Sight:
    seen: Seen = "whole" if heard.seen == "whole" else "error"
    return Sight(number, seen, heard.status, heard.request_id, 0, 0, heard.ended_at)


def broke_off_once(question: Question) -> bool:
    """Of a stream on a route that has others go on with it."""
    plan = question.plan
    once = question.stream and plan.get("attempts") == 1 and question.model in ("continue", "restart", "hedged")
    return once and plan["fault"] in BREAKS_OFF


def times(told: Sequence[Told]) -> list[Series]:
    def longest(kind: str, seconds: list[float]) -> list[Series]:
        if not seconds:
            return []
        return [
            Series("platform", f"{kind}, p50", "s", [percentile(seconds, 50)], None, "answers"),
            Series("platform", f"{kind}, longest", "s", [max(seconds)], None, "answers"),
        ]

    def faulty(each: Told) -> bool:
        return "fault" in each.asked.question.plan

    plain = [each.heard.seconds for each in told if not faulty(each)]
    struck: list[Any] = [each.heard.seconds for each in told if faulty(each)]
    return [*longest("without a fault", plain), *longest("with a fault", struck)]
