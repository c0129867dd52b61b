"""What choosing costs: the same question to a route of two targets (strategy "latency"), to the model by its own name,
and through the bare proxy, at 32 clients and at one; and as streams, which a route can have others go on with."""

from benchmarks.load.latency import latencies
from benchmarks.load.streams import streams
from benchmarks.measures import latency
from benchmarks.measures import streams as streaming
from benchmarks.measures.throughput import CLIENTS, one
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage, Subject

BAR = 0.65


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    if stage.routed is None or stage.routed_streams is None:
        return []
    paced = [*stage.streams[1:], stage.routed_streams]
    subjects = [*stage.answers[1:], stage.routed]
    crowd, alone = Collected(f"routing, {CLIENTS} clients"), Collected("routing, 1 client")
    flow = Collected(f"routing, streams of {streaming.CHUNKS} chunks, {CLIENTS} clients")
    for subject in subjects:
        latencies(subject.endpoint, requests=200)
    for subject in paced:
        streams(subject.endpoint, clients=CLIENTS, each=3, chunks=streaming.CHUNKS)
    for number in range(1, rounds + 1):
        progress(f"routing {number}/{rounds}")
        spent = {subject.name: one(subject, crowd, seconds=seconds) for subject in subjects}
        add_difference(crowd, stage.routed, spent)
        for subject in subjects:
            latency.one(subject, alone)
        for subject in paced:
            streaming.one(subject, flow, clients=CLIENTS)
    bars = {(stage.routed.name, "CPU of web a request"): BAR}
    return [*crowd.series(bars), *alone.series({}), *flow.series({})]


def add_difference(collected: Collected, routed: Subject, spent: dict[str, float]) -> None:
    added = spent[routed.name] - spent["platform"]
    collected.add(routed.name, "CPU of web that the route adds", "ms", added)
    # On a busy machine everything costs more, the bare proxy too.
    for name in ("platform", routed.name):
        collected.add(name, "CPU of web, of the bare proxy's", "×", spent[name] / spent["bare proxy"])
