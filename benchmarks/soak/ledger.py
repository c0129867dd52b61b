"""The ledger's exactness under fire.

Load with aborts and upstream faults, SIGKILLs of web, PostgreSQL and Valkey and a flush of Valkey in the middle of it,
then the reaper, then the upstream's own journal against the ledger, attempt by attempt.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.percentiles import percentile
from benchmarks.platform import PROVIDER, Platform
from benchmarks.processes import NotReady, start_upstream
from benchmarks.rates import Rates
from benchmarks.report import Check, Report
from benchmarks.series import Series
from benchmarks.soak.chaos import Chaos
from benchmarks.soak.client import Clients, Sight
from benchmarks.soak.ledger_rows import open_intents, read_ledger
from benchmarks.soak.reconcile import Evidence, reconcile, sum_up
from benchmarks.soak.script import Script, write_script
from benchmarks.upstream.journal import Received, read_journal

Progress = Callable[[str], None]
MODEL = "mock"
WORKERS = 2
IN_FLIGHT = 24
SETTLE_SECONDS = 30.0
STALE_SECONDS = "5"


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients saw, and when each kill struck."""

    sights: list[Sight]
    chaos: Chaos
    seconds: float


def soak(progress: Progress, *, requests: int = 2400, kills: int = 20, seed: int = 2) -> Report:
    script = write_script(requests=requests, kills=kills, seed=seed)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        journal = directory / "journal.jsonl"
        upstream_url, upstream = start_upstream(directory / "upstream.log", journal=journal)
        stack.callback(upstream.stop)
        progress("starting the platform")
        platform = Platform.start({PROVIDER: (upstream_url, [MODEL])}, workers=WORKERS)
        stack.callback(platform.stop)
        progress(f"{requests} calls, {len(script.kills)} kills")
        load = asyncio.run(run_load(platform, script, progress))
        own_proof = settle_all(platform, progress)
        intents, settlements = read_ledger(platform)
        received, ended = read_journal(journal)
    evidence = Evidence(received, ended, intents, settlements, load.sights)
    return report_on(evidence, load, script, own_proof)


async def run_load(platform: Platform, script: Script, progress: Progress) -> Load:
    started = time.monotonic()
    chaos = Chaos(platform, script.kills, progress)
    room = asyncio.Semaphore(IN_FLIGHT)
    sights: list[Sight] = []
    async with (
        Clients(platform.base_url, platform.api_key, f"{PROVIDER}/{MODEL}") as clients,
        asyncio.TaskGroup() as group,
    ):
        striking = group.create_task(chaos.run())

        async def one(number: int) -> None:
            try:
                sights.append(await clients.make(script.calls[number]))
            finally:
                room.release()
                await chaos.finished()
            if len(sights) % 250 == 0:
                progress(f"{len(sights)}/{len(script.calls)} calls done")

        for number in range(len(script.calls)):
            await chaos.admit(number, in_flight=IN_FLIGHT)
            await room.acquire()
            group.create_task(one(number))
        await striking
    return Load(sights, chaos, time.monotonic() - started)


def settle_all(platform: Platform, progress: Progress) -> Check:
    """Lets living processes settle and end, then reaps what the dead left, as the worker does on a running system.

    Nothing lives then, so the reaper need not wait as long as usual for a sign of life.

    What the platform's own proof says of its ledger then.
    """
    progress("letting web drain")
    platform.stop_web(seconds=SETTLE_SECONDS)
    deadline = time.monotonic() + SETTLE_SECONDS * 2
    while True:
        platform.command("reap_ledger", "--stale-after", STALE_SECONDS)
        left = open_intents(platform)
        progress(f"{left} intents without a settlement after the reaper's run")
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    try:
        platform.command("check_ledger")
    except NotReady as error:
        return Check("the platform's own proof (check_ledger)", str(error), met=False)
    return Check("the platform's own proof (check_ledger)", "holds", met=True)


def report_on(evidence: Evidence, load: Load, script: Script, own_proof: Check) -> Report:
    findings = reconcile(evidence, Rates())
    dispatched = len(evidence.received)
    # A killed worker takes with it what it had accepted and not yet sent on.
    least = len(script.calls) - IN_FLIGHT * sum(kill.kind == "web" for kill in script.kills)
    checks = [
        Check(
            "kills and flushes struck", f"{len(load.chaos.struck_at)}", len(load.chaos.struck_at) == len(script.kills)
        ),
        Check(f"at least {least} attempts reached the upstream", f"{dispatched}", dispatched >= least),
        workers_killed_at_work(evidence, load),
        *findings.checks(),
        own_proof,
    ]
    return Report(
        name="soak-ledger",
        title="The upstream's journal against the ledger, under kills",
        parameters=facts(evidence, load, script),
        checks=checks,
        series=disconnects(evidence),
    )


def workers_killed_at_work(evidence: Evidence, load: Load) -> Check:
    """A kill proves something only where it breaks answers under way: how many there were at each."""
    times = [at for at, kill in load.chaos.struck_at if kill.kind == "web"]
    under_way = [sum(was_under_way(line, evidence, at) for line in evidence.received) for at in times]
    return Check(
        "web workers were killed while attempts were under way",
        f"{under_way}",
        sum(map(bool, under_way)) * 2 >= len(under_way),
    )


def was_under_way(line: Received, evidence: Evidence, at: float) -> bool:
    end = evidence.ended.get(line.number)
    return line.at <= at and (end is None or end.at > at)


def facts(evidence: Evidence, load: Load, script: Script) -> dict[str, Any]:
    booked = sum_up(evidence.settlements).values()
    return {
        "seed": script.seed,
        "calls": len(script.calls),
        "streamed": sum(call.stream for call in script.calls),
        "aborted by the client": sum(call.abort != "never" for call in script.calls),
        "kills": dict(Counter(kill.kind for kill in script.kills)),
        "seconds": round(load.seconds, 1),
        "dispatched": len(evidence.received),
        "clients saw": dict(Counter(sight.seen for sight in load.sights)),
        "tries turned away undispatched": sum(sight.refusals for sight in load.sights),
        "upstream's outcomes": dict(Counter(end.outcome for end in evidence.ended.values())),
        "ledger's outcomes": dict(Counter(each.outcome for each in booked)),
        "usage sources": dict(Counter(each.usage_source for each in booked)),
        "corrections": sum(each.corrections for each in booked),
    }


def disconnects(evidence: Evidence) -> list[Series]:
    """How long after a client hung up its upstream call was cancelled."""
    by_request = {line.request_id: evidence.ended.get(line.number) for line in evidence.received}
    delays = [
        (end.at - sight.ended_at) * 1000
        for sight in evidence.sights
        if sight.seen == "hung_up" and (end := by_request.get(sight.request_id)) and end.outcome == "client_gone"
    ]
    if not delays:
        return []
    p95, most = percentile(delays, 95), max(delays)
    return [
        Series("platform", "hang-up reaches the upstream, p95", "ms", [p95], 250.0, "disconnects"),
        Series("platform", "hang-up reaches the upstream, longest", "ms", [most], None, "disconnects"),
    ]
