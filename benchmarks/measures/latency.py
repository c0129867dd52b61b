"""One client, one request after the other: how long it waits, and what a lone request costs."""

from benchmarks.load.latency import latencies
from benchmarks.load.percentiles import percentile
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage, Subject

REQUESTS = 600
BARS = {("platform", "CPU of web a request"): 1.1, ("platform", "added p50"): 1.5}


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    collected = Collected("1 client")
    for subject in stage.answers:
        latencies(subject.endpoint, requests=100)
    for number in range(1, rounds + 1):
        direct: float | None = None
        for subject in stage.answers:
            progress(f"latency {number}/{rounds}: {subject.name}")
            p50 = one(subject, collected)
            if direct is None:
                direct = p50
            else:
                collected.add(subject.name, "added p50", "ms", p50 - direct)
    return collected.series(BARS)


def one(subject: Subject, collected: Collected) -> float:
    """The median in ms."""
    before = subject.used()
    taken = latencies(subject.endpoint, requests=REQUESTS)
    for service, used in subject.used().items():
        spent = (used - before[service]).cpu_seconds
        collected.add(subject.name, f"CPU of {service} a request", "ms", spent / REQUESTS * 1000)
    p50 = percentile(taken, 50) * 1000
    collected.add(subject.name, "p50", "ms", p50)
    collected.add(subject.name, "p95", "ms", percentile(taken, 95) * 1000)
    return p50
