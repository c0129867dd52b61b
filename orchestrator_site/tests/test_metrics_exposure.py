"""The figures of several workers, and the port of its own."""

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from benchmarks.processes import free_port
from orchestrator_site.metrics_exposure import AllWorkers, serve_metrics_port

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys
from gateway.metrics import record_request, ACTIVE_STREAMS
for _ in range(int(sys.argv[1])):
    record_request("GET", "/live", 200, 0.01)
ACTIVE_STREAMS.inc(3)
print("done", flush=True)
sys.stdin.read()
"""


def start_worker(folder, count):
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(count)],
        cwd=ROOT,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    return process


def test_workers_add_up_and_the_dead_leave_their_counts_but_nothing_under_way(tmp_path):
    first, second = start_worker(tmp_path, 2), start_worker(tmp_path, 3)
    try:
        text = generate_latest(AllWorkers(tmp_path)).decode()
        assert 'http_requests_total{method="GET",route="/live",status="2xx"} 5.0' in text
        assert "active_streams_current 6.0" in text
        second.kill()
        second.wait(10)
        text = generate_latest(AllWorkers(tmp_path)).decode()
        assert 'http_requests_total{method="GET",route="/live",status="2xx"} 5.0' in text
        assert "active_streams_current 3.0" in text
    finally:
        for process in (first, second):
            process.kill()
            process.communicate(timeout=10)


def scraped(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return answer.read().decode()


async def test_one_has_the_port_and_when_it_leaves_another_takes_it(monkeypatch):
    monkeypatch.setattr("orchestrator_site.metrics_exposure.TAKEN_RETRY_SECONDS", 0.05)
    port = free_port()
    first = asyncio.create_task(serve_metrics_port(port))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(serve_metrics_port(port))
    await asyncio.sleep(0.1)
    assert "http_requests_total" in await asyncio.to_thread(scraped, port)
    assert not first.done()
    assert not second.done()
    await ended(first)
    for _ in range(100):
        try:
            assert "http_requests_total" in await asyncio.to_thread(scraped, port)
            break
        except urllib.error.URLError:
            await asyncio.sleep(0.05)
    else:
        pytest.fail("nobody took the port")
    await ended(second)
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(scraped, port)


async def ended(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
