"""Many streams at once, each checked to its end."""

import asyncio
import time
from dataclasses import dataclass

import uvloop

from benchmarks.load.caller import Answer, Caller
from benchmarks.load.endpoint import Endpoint, LoadFailed


@dataclass(frozen=True, slots=True)
class Streams:
    """Times in seconds: `first` to the first byte, `whole` to the end, each of every stream."""

    count: int
    seconds: float
    first: list[float]
    whole: list[float]


def streams(endpoint: Endpoint, *, clients: int, each: int, chunks: int) -> Streams:
    """`clients` connections, `each` streams one after the other. Raises LoadFailed for a stream that isn't whole."""
    return uvloop.run(run(endpoint, clients=clients, each=each, chunks=chunks))


async def run(endpoint: Endpoint, *, clients: int, each: int, chunks: int) -> Streams:
    started = time.perf_counter()
    answers: list[Answer] = []

    async def one_client() -> None:
        async with Caller(endpoint) as caller:
            for _ in range(each):
                answer = await caller.call()
                check(answer, chunks=chunks)
                answers.append(answer)

    await asyncio.gather(*(one_client() for _ in range(clients)))
    return Streams(
        count=len(answers),
        seconds=time.perf_counter() - started,
        first=[answer.first_byte_seconds for answer in answers],
        whole=[answer.seconds for answer in answers],
    )


def check(answer: Answer, *, chunks: int) -> None:
    """Every chunk, and the end."""
    if answer.status != 200:
        raise LoadFailed(f"status {answer.status}: {answer.body[:300]!r}")
    if not answer.body.endswith(b"data: [DONE]\n\n") or answer.body.count(b'"content":') != chunks:
        raise LoadFailed(f"a stream of {chunks} chunks came as {answer.body[-300:]!r}")
