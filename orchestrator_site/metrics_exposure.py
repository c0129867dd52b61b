"""/metrics: on a loopback port of its own, and on the main port for who holds METRICS_TOKEN.

With several workers the figures of all of them add up: each writes to files in PROMETHEUS_MULTIPROC_DIR, which
`orchestrator_site.serve` makes before it starts them (prometheus.github.io/client_python/multiprocess/).
"""

import asyncio
import errno
import hmac
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Metric,
    generate_latest,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from orchestrator_site.asgi_messages import Receive, Scope, Send, answer, answer_json, header
from orchestrator_site.observation import ROUTE

log = structlog.get_logger(__name__)

LOOPBACK: Final = "127.0.0.1"
TAKEN_RETRY_SECONDS: Final = 10.0
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


class AllWorkers(Collector):
    """The figures of every worker that shares the folder; those of the dead count, save what they had under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        for file in self._folder.glob("gauge_live*_*.db"):
            worker = int(file.stem.rpartition("_")[2])
            if not alive(worker):
                mark_process_dead(worker, str(self._folder))  # type: ignore[no-untyped-call]
        merged = MultiProcessCollector(None, str(self._folder))  # type: ignore[no-untyped-call]
        yield from merged.collect()  # type: ignore[no-untyped-call]


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def collector() -> Collector:
    """What a scrape reads: this process, or all workers."""
    folder = os.environ.get(FOLDER)
    return AllWorkers(Path(folder)) if folder else REGISTRY


class MetricsEndpoint:
    """`GET /metrics` with `Authorization: Bearer`; without a token configured there is no such path."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode() if token else b""
        self._collector = collector()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = "/metrics"
        if not self._expected:
            await answer_json(send, 404, {"status": "not found"})
        elif not hmac.compare_digest(header(scope, b"authorization"), self._expected):
            await answer_json(send, 401, {"status": "unauthorized"}, [(b"www-authenticate", b"Bearer")])
        elif scope["method"] not in ("GET", "HEAD"):
            await answer_json(send, 405, {"status": "method not allowed"}, [(b"allow", b"GET, HEAD")])
        else:
            text = await asyncio.to_thread(generate_latest, self._collector)
            await answer(send, 200, text, CONTENT_TYPE_LATEST.encode())


async def serve_metrics_port(port: int) -> None:
    """Serves until cancelled. One of several workers has the port; when that one dies another takes it."""
    while True:
        try:
            server, _ = start_http_server(port, LOOPBACK, collector())
            break
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            log.info("metrics_port_taken", port=port)
        await asyncio.sleep(TAKEN_RETRY_SECONDS)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
