"""As many requests as N clients can get in a closed loop: through wrk, or without it through asyncio."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.load.caller import Caller
from benchmarks.load.endpoint import Endpoint, LoadFailed
from benchmarks.load.percentiles import percentile

SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Throughput:
    """`p50_ms` and `p95_ms` are those of a request as the client saw it."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def throughput(endpoint: Endpoint, *, clients: int, seconds: float) -> Throughput:
    """Raises LoadFailed when any answer was not 2xx."""
    if shutil.which("wrk"):
        return with_wrk(endpoint, clients=clients, seconds=seconds)
    return uvloop.run(with_asyncio(endpoint, clients=clients, seconds=seconds))


def with_wrk(endpoint: Endpoint, *, clients: int, seconds: float) -> Throughput:
    with tempfile.TemporaryDirectory() as directory:
        body, headers = Path(directory, "body"), Path(directory, "headers")
        body.write_bytes(endpoint.body)
        headers.write_text("".join(f"{name}: {value}\n" for name, value in endpoint.all_headers.items()))
        options = ["-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "-s", str(SCRIPT)]
        command = ["wrk", *options, endpoint.base_url + endpoint.path, "--", str(body), str(headers)]
        output = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
    line = next((text[5:] for text in output.stdout.splitlines() if text.startswith("JSON ")), None)
    if line is None:
        raise LoadFailed(f"wrk: {output.stdout}{output.stderr}")
    summary = json.loads(line)
    if summary["failed"] or not summary["requests"]:
        raise LoadFailed(f"{summary['failed']} of {summary['requests']} requests to {endpoint.base_url} failed")
    seconds = summary["microseconds"] / 1e6
    return Throughput(summary["requests"], seconds, summary["p50"] / 1000, summary["p95"] / 1000)


async def with_asyncio(endpoint: Endpoint, *, clients: int, seconds: float) -> Throughput:
    started = time.perf_counter()
    taken: list[float] = []

    async def one_client() -> None:
        async with Caller(endpoint) as caller:
            while time.perf_counter() - started < seconds:
                answer = await caller.call()
                if answer.status != 200:
                    raise LoadFailed(f"status {answer.status}: {answer.body[:300]!r}")
                taken.append(answer.seconds)

    await asyncio.gather(*(one_client() for _ in range(clients)))
    spent = time.perf_counter() - started
    return Throughput(len(taken), spent, percentile(taken, 50) * 1000, percentile(taken, 95) * 1000)
