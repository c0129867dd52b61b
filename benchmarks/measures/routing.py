"""What choosing costs: the same question to a route of two targets (strategy "latency"), to the model by its own name,
and through the bare proxy, at 32 clients and at one."""

from benchmarks.load.latency import latencies
from benchmarks.measures import latency
from benchmarks.measures.throughput import CLIENTS, one
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage, Subject

BAR = 0.65


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    if stage.routed is None:
        return []
    subjects = [*stage.answers[1:], stage.routed]
    crowd, alone = Collected(f"routing, {CLIENTS} clients"), Collected("routing, 1 client")
    for subject in subjects:
        latencies(subject.endpoint, requests=200)
    for number in range(1, rounds + 1):
        progress(f"routing {number}/{rounds}")
        spent = {subject.name: one(subject, crowd, seconds=seconds) for subject in subjects}
        add_difference(crowd, stage.routed, spent)
        for subject in subjects:
            latency.one(subject, alone)
    bars = {(stage.routed.name, "CPU of web a request"): BAR}
    return [*crowd.series(bars), *alone.series({})]


def add_difference(collected: Collected, routed: Subject, spent: dict[str, float]) -> None:
    added = spent[routed.name] - spent["platform"]
    collected.add(routed.name, "CPU of web that the route adds", "ms", added)
