"""Brings the platform up for a benchmark or a soak, with services of its own in a temporary folder.

The one file that knows how: embedded services, migrations, seeding by command, `python -m orchestrator_site.serve`.
Everything else talks to the addresses it hands out.
"""

import base64
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

from benchmarks.processes import REPOSITORY, NotReady, Process, free_port, tree

# The platform's own: it drives the database and cache binaries that come with it.
from orchestrator_site.embedded.services import EmbeddedServices

PROVIDER = "bench"
TENANT = "bench"
READY_SECONDS = 60.0
UNLIMITED = str(10**9)

Providers = Mapping[str, tuple[str, Sequence[str]]]
"""Provider name → (base URL without /v1, model names)."""


@dataclass(frozen=True, slots=True)
class Price:
    """What every model costs here, in nano-USD a million tokens: uneven numbers, so that rounding is tried."""

    input: int = 2_500_000_003
    output: int = 10_000_000_007
    cache_read: int = 1_250_000_001


@dataclass(slots=True)
class Web:
    """A web process on a port of its own."""

    port: int
    process: Process

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid


@dataclass(slots=True)
class Platform:
    """A running platform. `api_key` may ask for every model of every provider, without limits."""

    folder: Path
    embedded: EmbeddedServices
    environ: dict[str, str]
    api_key: str = field(default="", repr=False)
    webs: list[Web] = field(default_factory=list)

    @classmethod
    def start(cls, providers: Providers, *, webs: int = 1) -> "Platform":
        """Raises NotReady, or CalledProcessError of a command; what was started by then is stopped."""
        folder = Path(tempfile.mkdtemp(prefix="platform-", dir="/var/tmp"))
        folder.chmod(0o755)
        platform = cls(folder, EmbeddedServices(folder / "services"), {})
        try:
            platform._set_up(providers)
            platform.webs = [platform._spawn(free_port()) for _ in range(webs)]
            for web in platform.webs:
                wait_ready(web)
        except BaseException:
            platform.stop()
            raise
        return platform

    def _set_up(self, providers: Providers) -> None:
        addresses = self.embedded.start()
        configs = self.folder / "models.json"
        configs.write_text(json.dumps(model_configs(providers)))
        self.environ = environment(addresses.database_url, addresses.redis_url, configs)
        self.command("migrate_all")
        self.command("seed_platform_providers")
        self.command("create_tenant", TENANT, "--name", "Benchmark")
        self.api_key = key_in(self.command("create_api_key", "--tenant", TENANT, "--name", "benchmark"))

    @property
    def base_url(self) -> str:
        return self.webs[0].base_url

    @property
    def web_pid(self) -> int:
        return self.webs[0].pid

    def services(self) -> dict[str, int]:
        """The root process of each service. A service that is down is left out."""
        pids = {"web": self.web_pid, "PostgreSQL": self.embedded.postgres.pid(), "Valkey": self.embedded.valkey.pid()}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def command(self, *words: str, timeout: float = 120.0) -> str:
        """The output of a management command."""
        overlay = "migration" if words[0] == "migrate_all" else "worker"
        environ = {**self.environ, "DJANGO_SETTINGS_MODULE": f"orchestrator_site.settings.{overlay}"}
        ran = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env=environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if ran.returncode:
            raise NotReady(f"manage.py {' '.join(words)} failed:\n{ran.stdout[-2000:]}{ran.stderr[-4000:]}")
        return ran.stdout

    def restart_web(self, number: int = 0) -> float:
        """Stops a web process and starts it again; seconds from the start of the new one to its first 200 on /ready."""
        web = self.webs[number]
        web.process.stop()
        started = time.perf_counter()
        self.webs[number] = self._spawn(web.port)
        wait_ready(self.webs[number])
        return time.perf_counter() - started

    def kill_web(self, number: int) -> None:
        """SIGKILL for a web process and all its workers."""
        self.webs[number].process.kill()

    def start_web(self, number: int) -> None:
        """Starts a web process that is down; it need not be ready yet."""
        self.webs[number] = self._spawn(self.webs[number].port)

    def wait_web(self, number: int) -> None:
        """Raises NotReady."""
        wait_ready(self.webs[number])

    def kill_postgres(self) -> None:
        kill_tree(self.embedded.postgres.pid())

    def kill_valkey(self) -> None:
        kill_tree(self.embedded.valkey.pid())

    def start_services(self) -> None:
        """Starts what is down of PostgreSQL and Valkey; returns when both answer."""
        self.embedded.start()

    def _spawn(self, port: int) -> Web:
        command = [sys.executable, "-m", "orchestrator_site.serve"]
        environ = {**self.environ, "PORT": str(port), "DJANGO_SETTINGS_MODULE": "orchestrator_site.settings.web"}
        return Web(port, Process.start(command, log=self.folder / f"web-{port}.log", environ=environ))

    def stop(self) -> None:
        for web in self.webs:
            web.process.stop()
        self.embedded.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def environment(database_url: str, redis_url: str, configs: Path) -> dict[str, str]:
    """A production's settings but for TLS, with limits out of the way and quiet logs."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "API_KEY_PEPPER": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ORCHESTRATOR_ENV": "local",
        "LOG_LEVEL": "WARNING",
        "MAX_REQUESTS_PER_MIN": UNLIMITED,
        "MODEL_CONFIGS": str(configs),
        "METRICS_TOKEN": secrets.token_urlsafe(24),
    }


def model_configs(providers: Providers) -> dict[str, object]:
    """MODEL_CONFIGS for these providers."""
    raise NotImplementedError("the shape of MODEL_CONFIGS is not settled")


def key_in(output: str) -> str:
    """The API key that a command printed."""
    for word in output.split():
        if word.startswith("orc_"):
            return word
    raise NotReady("create_api_key printed no key")


def wait_ready(web: Web, *, seconds: float = READY_SECONDS) -> None:
    """Raises NotReady with the end of the log."""
    deadline = time.monotonic() + seconds
    while not is_ready(web):
        if web.process.popen.poll() is not None or time.monotonic() > deadline:
            raise NotReady(f"web on port {web.port} did not become ready:\n{web.process.tail(4000)}")
        time.sleep(0.02)


def is_ready(web: Web) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=2)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def kill_tree(root: int | None) -> None:
    """SIGKILL for a process and its descendants, the root first."""
    for pid in [] if root is None else list(tree(root)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
