"""A closed loop of 32 clients: CPU a request of every service, requests a second and per core of web."""

from benchmarks.load.throughput import throughput
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage, Subject

CLIENTS = 32
BARS = {("platform", "CPU of web a request"): 0.6}


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    collected = Collected(f"{CLIENTS} clients")
    for subject in stage.answers:
        throughput(subject.endpoint, clients=CLIENTS, seconds=1)
    for number in range(1, rounds + 1):
        spent: dict[str, float] = {}
        for subject in stage.answers:
            progress(f"throughput {number}/{rounds}: {subject.name}")
            spent[subject.name] = one(subject, collected, seconds=seconds)
        if "platform" in spent:
            collected.add("platform", "CPU of web, of the bare proxy's", "×", spent["platform"] / spent["bare proxy"])
    return collected.series(BARS)


def one(subject: Subject, collected: Collected, *, seconds: float) -> float:
    """CPU milliseconds a request of the first of its services."""
    before = subject.used()
    load = throughput(subject.endpoint, clients=CLIENTS, seconds=seconds)
    after = subject.used()
    costs: list[float] = []
    for service, used in after.items():
        spent = (used - before[service]).cpu_seconds
        costs.append(spent / load.requests * 1000)
        collected.add(subject.name, f"CPU of {service} a request", "ms", costs[-1])
        if service in ("web", "nginx") and spent:
            collected.add(subject.name, f"requests a second per core of {service}", "1/s", load.requests / spent)
    collected.add(subject.name, "requests a second, everything on this machine", "1/s", load.per_second)
    collected.add(subject.name, "p50", "ms", load.p50_ms)
    collected.add(subject.name, "p95", "ms", load.p95_ms)
    return costs[0]
