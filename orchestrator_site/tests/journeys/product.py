"""The whole product as processes of its own, on a database of its own."""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processes import Process, free_port, start_upstream
from orchestrator_site.embedded.services import Addresses
from orchestrator_site.tests.journeys.catalogue import catalogue
from orchestrator_site.tests.journeys.ledger_rows import LedgerRows
from orchestrator_site.tests.journeys.peers import Peer, start_peers

ROOT = Path(__file__).resolve().parents[3]
READY_SECONDS = 60.0
MAX_BODY_BYTES = 1_000_000


@dataclass(slots=True)
class Product:
    """`stop` ends whatever was started, also after a failure half-way."""

    folder: Path
    addresses: Addresses
    processes: list[Process] = field(default_factory=list)
    peers: dict[str, Peer] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    demo: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def start(self, *, webs: int = 2) -> None:
        upstream_url, upstream = start_upstream(self.folder / "upstream.log", journal=self.journal)
        self.processes.append(upstream)
        self.peers = start_peers(self.folder, self.processes)
        demo_url, demo_key = self.start_demo_provider()
        configured = self.folder / "models.json"
        configured.write_text(json.dumps(catalogue(upstream_url, demo_url, self.peers)))
        self.environment = environment(self.addresses, configured) | {
            "DEMO_PROVIDER_URL": demo_url,
            "DEMO_PROVIDER_KEY": demo_key,
        }
        self.manage("migrate_all")
        self.manage("seed_platform_providers")
        self.manage("seed_demo", "--output", str(self.folder / "demo.json"))
        self.demo = json.loads((self.folder / "demo.json").read_text())
        made = self.manage(
            "shell", "--no-imports", "-c", "from orchestrator_site.tests.journeys import people; people.make()"
        )
        self.keys = json.loads(made)
        for _ in range(webs):
            self.start_web()
        for port in self.ports:
            self.wait_ready(port)

    def start_demo_provider(self) -> tuple[str, str]:
        port, key = free_port(), secrets.token_urlsafe(24)
        environ = {**os.environ, "DEMO_PROVIDER_KEY": key, "DEMO_PACE_SECONDS": "0.002"}
        process = self.run("demo", ["-m", "orchestrator_site.demo", "--port", str(port)], environ)
        process.wait_listening(port)
        return f"http://127.0.0.1:{port}/v1", key

    def start_web(self) -> None:
        port = free_port()
        environ = {**self.environment, "PORT": str(port)}
        self.run(f"web-{port}", ["-m", "orchestrator_site.serve"], environ)
        self.ports.append(port)

    def run(self, name: str, words: Sequence[str], environ: dict[str, str]) -> Process:
        process = Process.start([sys.executable, *words], log=self.folder / f"{name}.log", environ=environ)
        self.processes.append(process)
        return process

    def wait_ready(self, port: int) -> None:
        """AssertionError with the end of the log."""
        deadline = time.monotonic() + READY_SECONDS
        while self.status(port, "/ready") != 200:
            assert time.monotonic() < deadline, f"not ready:\n{self.logs()}"
            time.sleep(0.1)

    @staticmethod
    def status(port: int, path: str) -> int:
        """0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def manage(self, *words: str, **environ: str) -> str:
        """The output of a management command. AssertionError when it fails."""
        ran = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**self.environment, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, f"manage.py {' '.join(words)}:\n{ran.stdout[-2000:]}{ran.stderr[-4000:]}"
        return ran.stdout

    def stop(self) -> None:
        """Web processes first, so that their settlements reach the ledger and their calls an upstream that answers."""
        for process in reversed(self.processes):
            process.stop(seconds=30)

    @property
    def journal(self) -> Path:
        return self.folder / "upstream.jsonl"

    @property
    def base_url(self) -> str:
        return self.url_of(self.ports[0])

    def url_of(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/v1"

    def key_of(self, slug: str) -> str:
        return next(str(each["api_key"]) for each in self.demo["tenants"] if each["slug"] == slug)

    def ledger(self) -> LedgerRows:
        return LedgerRows(self.addresses.database_url)

    def logs(self) -> str:
        ends = (f"--- {each.log.name}\n{each.tail(3000)}" for each in self.processes)
        return "\n".join(ends)


def environment(addresses: Addresses, configured: Path) -> dict[str, str]:
    """An installation's, with secrets of its own and a body limit that a test can reach."""
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return {
        **inherited,
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": addresses.redis_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "API_KEY_PEPPER": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ORCHESTRATOR_ENV": "local",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "json",
        "MODEL_CONFIGS": str(configured),
        "MAX_BODY_BYTES": str(MAX_BODY_BYTES),
        "MAX_REQUESTS_PER_MIN": "6000",
        "GRACEFUL_SHUTDOWN_SECONDS": "5",
        "CONNECTION_POOL_SIZE": "3",
    }
