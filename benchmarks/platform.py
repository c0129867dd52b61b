"""Brings the platform up for a benchmark or a soak, with services of its own in a temporary folder.

The one file that knows how: embedded services, migrations, seeding by command, `python -m orchestrator_site.serve`.
Everything else talks to the addresses it hands out.
"""

import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processes import REPOSITORY, NotReady, Process, children, free_port, open_sockets, tree
from benchmarks.rates import Rates

# The platform's own: it drives the database and cache binaries that come with it.
from orchestrator_site.embedded.services import EmbeddedServices

PROVIDER = "bench"
TENANT = "bench"
READY_SECONDS = 60.0
LOG_LEVEL = "INFO"
"""The default: what a production writes, a benchmark writes."""
UNLIMITED = str(10**9)
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")

Providers = Mapping[str, tuple[str, Sequence[str]]]
"""Provider name → (base URL without /v1, model names)."""
Fields = Mapping[str, Any]
"""Of an entry of the catalogue file, as providers/catalogue_file.py describes them."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Of the catalogue beside the providers: routes, fields by provider's name ("" for all), fields of every model."""

    routes: Sequence[Fields] = ()
    of_providers: Mapping[str, Fields] = field(default_factory=dict)
    of_models: Fields = field(default_factory=dict)


PLAIN = Extras()


@dataclass(slots=True)
class Platform:
    """A running platform. `api_key` may ask for every model of every provider, without limits; "" without providers."""

    folder: Path
    embedded: EmbeddedServices
    environ: dict[str, str]
    port: int
    workers: int = 1
    api_key: str = field(default="", repr=False)
    web: Process | None = None

    @classmethod
    def start(
        cls, providers: Providers, *, workers: int = 1, with_web: bool = True, extras: Extras = PLAIN
    ) -> "Platform":
        """Raises NotReady, EmbeddedServiceError; what was started by then is stopped."""
        folder = Path(tempfile.mkdtemp(prefix="platform-", dir="/var/tmp"))
        folder.chmod(0o755)
        platform = cls(folder, EmbeddedServices(folder / "services"), {}, free_port(), workers)
        try:
            platform.set_up(providers, extras)
            if with_web:
                platform.start_web()
        except BaseException:
            platform.stop()
            raise
        return platform

    def set_up(self, providers: Providers, extras: Extras = PLAIN) -> None:
        """Services and schema; with providers, these, and a tenant and its key."""
        addresses = self.embedded.start()
        configs = self.folder / "models.json"
        configs.write_text(json.dumps(model_configs(providers, extras)))
        self.environ = environment(addresses.database_url, addresses.redis_url, configs)
        self.environ |= {"PORT": str(self.port), "WEB_CONCURRENCY": str(self.workers)}
        self.command("migrate_all")
        if not providers:
            return
        self.command("seed_platform_providers")
        self.command("create_tenant", TENANT, "--name", "Benchmark")
        self.api_key = self.command("create_api_key", TENANT, "--name", "benchmark", "--quiet").strip()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def web_pid(self) -> int:
        if self.web is None:
            raise NotReady("web is not running")
        return self.web.pid

    def services(self) -> dict[str, int]:
        """The root process of each service. A service that is down is left out."""
        pids = {"web": self.web_pid, "PostgreSQL": self.embedded.postgres.pid(), "Valkey": self.embedded.valkey.pid()}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def command(self, *words: str, timeout: float = 120.0) -> str:
        """The output of a management command. Raises NotReady when it fails."""
        overlay = "migration" if words[0] == "migrate_all" else "worker"
        ran = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env={**self.environ, "DJANGO_SETTINGS_MODULE": f"orchestrator_site.settings.{overlay}"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if ran.returncode:
            raise NotReady(f"manage.py {' '.join(words)} failed:\n{ran.stdout[-2000:]}{ran.stderr[-4000:]}")
        return ran.stdout

    def start_web(self) -> float:
        """Starts the web process; seconds to its first 200 on /ready. Raises NotReady."""
        command = [sys.executable, "-m", "orchestrator_site.serve"]
        environ = {**self.environ, "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.web"}
        started = time.perf_counter()
        self.web = Process.start(command, log=self.folder / "web.log", environ=environ)
        self.wait_ready()
        return time.perf_counter() - started

    def stop_web(self, *, seconds: float = 15.0) -> None:
        if self.web is not None:
            self.web.stop(seconds=seconds)
            self.web = None

    def restart_web(self) -> float:
        """Seconds from the start of the new process to its first 200 on /ready."""
        self.stop_web()
        return self.start_web()

    def kill_worker(self) -> None:
        """SIGKILL for the web worker with the most connections; its supervisor starts it again."""
        os.kill(max(self.worker_pids(), key=open_sockets), signal.SIGKILL)

    def worker_pids(self) -> list[int]:
        return children(self.web_pid)

    def wait_workers(self) -> None:
        """Returns when every worker lives and the platform is ready. Raises NotReady."""
        deadline = time.monotonic() + READY_SECONDS
        while len(self.worker_pids()) < self.workers:
            if time.monotonic() > deadline:
                raise NotReady("a killed worker was not started again")
            time.sleep(0.05)
        self.wait_ready()

    def kill_postgres(self) -> None:
        kill_tree(self.embedded.postgres.pid())

    def kill_valkey(self) -> None:
        kill_tree(self.embedded.valkey.pid())

    def start_services(self) -> None:
        """Starts what is down of PostgreSQL and Valkey; returns when both answer."""
        self.embedded.start()

    def wait_ready(self, *, seconds: float = READY_SECONDS) -> None:
        """Raises NotReady with the end of the log."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if self.web is None or self.web.popen.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"web did not become ready:\n{self.web.tail(4000) if self.web else ''}")
            time.sleep(0.02)

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        self.stop_web()
        self.embedded.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def environment(database_url: str, redis_url: str, configs: Path) -> dict[str, str]:
    """A production's settings but for TLS, with limits out of the way; nothing of ours is inherited."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "API_KEY_PEPPER": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ORCHESTRATOR_ENV": "local",
        "LOG_LEVEL": LOG_LEVEL,
        "MAX_REQUESTS_PER_MIN": UNLIMITED,
        "MODEL_CONFIGS": str(configs),
        "METRICS_TOKEN": secrets.token_urlsafe(24),
    }


def model_configs(providers: Providers, extras: Extras = PLAIN) -> dict[str, object]:
    """The catalogue file (MODEL_CONFIGS) for these providers, every model at the same price."""
    rates = Rates()
    price = {name: rates.usd(name) for name in ("input", "output", "cache_read")}
    return {
        "providers": [
            {
                "name": name,
                "base_url": f"{base_url}/v1",
                "models": [{"name": model, "price": price, **extras.of_models} for model in models],
                **extras.of_providers.get("", {}),
                **extras.of_providers.get(name, {}),
            }
            for name, (base_url, models) in providers.items()
        ],
        "routes": list(extras.routes),
    }


def kill_tree(root: int | None) -> None:
    """SIGKILL for a process and its descendants, the root first."""
    for pid in [] if root is None else list(tree(root)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
