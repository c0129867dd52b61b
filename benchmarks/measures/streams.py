"""Streams of 30 chunks paced 1 ms: CPU a stream of every service, and the wait for the first byte.

At 32 clients as every other figure here, and at 8, where no core is busy and each chunk is a wake-up of its own.
"""

from benchmarks.load.percentiles import percentile
from benchmarks.load.streams import streams
from benchmarks.series import Collected, Series
from benchmarks.stage import Progress, Stage, Subject

CHUNKS = 30
CLIENTS = (32, 8)
STREAMS_A_ROUND = 960
BAR = 1.6


def measure(stage: Stage, progress: Progress, *, rounds: int, seconds: float) -> list[Series]:
    series: list[Series] = []
    for clients in CLIENTS:
        collected = Collected(f"streams of {CHUNKS} chunks, {clients} clients")
        for subject in stage.streams:
            streams(subject.endpoint, clients=clients, each=3, chunks=CHUNKS)
        for number in range(1, rounds + 1):
            for subject in stage.streams:
                progress(f"streams, {clients} clients, {number}/{rounds}: {subject.name}")
                one(subject, collected, clients=clients)
        series += collected.series({("platform", "CPU of web a stream"): BAR} if clients == CLIENTS[0] else {})
    return series


def one(subject: Subject, collected: Collected, *, clients: int) -> None:
    each = STREAMS_A_ROUND // CLIENTS[0] if clients == CLIENTS[0] else STREAMS_A_ROUND // 4 // clients
    before = subject.used()
    done = streams(subject.endpoint, clients=clients, each=each, chunks=CHUNKS)
    for service, used in subject.used().items():
        spent = (used - before[service]).cpu_seconds
        collected.add(subject.name, f"CPU of {service} a stream", "ms", spent / done.count * 1000)
    collected.add(subject.name, "first byte p50", "ms", percentile(done.first, 50) * 1000)
    collected.add(subject.name, "whole stream p50", "ms", percentile(done.whole, 50) * 1000)
