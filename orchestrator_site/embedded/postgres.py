"""The embedded PostgreSQL: initdb once, then pg_ctl.

It listens on 127.0.0.1 alone, with passwords (scram-sha-256) and no Unix socket. The application's login role is
no superuser: row-level security would be silently off for one.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from orchestrator_site.embedded.bootstrap import DATABASE, LOGIN_ROLE, SUPERUSER, bootstrap
from orchestrator_site.embedded.errors import EmbeddedServiceError
from orchestrator_site.embedded.notes import Notes, is_free
from orchestrator_site.embedded.privileges import ServiceUser, make_folder
from orchestrator_site.embedded.processes import is_alive, wait_until

# After a crash the old server's children may hold its shared memory for a while.
RETRY_SECONDS = 10.0
RECOVERY_SECONDS = 120.0
STOP_SECONDS = 20

SETTINGS: dict[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_locks_per_transaction": "256",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, ymd",
    "default_text_search_config": "pg_catalog.english",
    "log_min_duration_statement": "2s",
    "log_parameter_max_length": "0",
}
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One cluster in `folder`. `durable=False` trades safety after a power cut for speed: for tests alone."""

    def __init__(self, folder: Path, programs: Path, user: ServiceUser, notes: Notes, *, durable: bool = True) -> None:
        self.folder = folder
        self.cluster = folder / "cluster"
        self.log = folder / "postgres.log"
        self.programs = programs
        self.user = user
        self.notes = notes
        self.durable = durable

    @property
    def database_url(self) -> str:
        password = self.notes.password(LOGIN_ROLE)
        return f"postgresql://{LOGIN_ROLE}:{password}@127.0.0.1:{self.notes.port('postgres')}/{DATABASE}"

    @property
    def superuser_url(self) -> str:
        """For set-up and fault injection; never given to the application."""
        password = self.notes.password(SUPERUSER)
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.notes.port('postgres')}/postgres"

    def pid(self) -> int | None:
        """The live server of this cluster, if there is one."""
        recorded = self._recorded_pid()
        return recorded if recorded is not None and is_alive(recorded, f"-D {self.cluster}") else None

    def start(self) -> None:
        """Returns when it answers and the application's role and database exist. Raises EmbeddedServiceError."""
        if not self._is_up():
            self._create_cluster()
            self._launch()
        bootstrap(self._connect, self.notes)

    def stop(self) -> None:
        """Ends sessions and stops; at once, without a checkpoint, when that takes too long."""
        for mode in ("fast", "immediate"):
            if self.pid() is None:
                return
            self._run("pg_ctl", "stop", "-D", str(self.cluster), "-m", mode, "-w", "-t", str(STOP_SECONDS))

    def _is_up(self) -> bool:
        """Whether our server runs and answers; one that is still recovering is waited for."""
        if self.pid() is None:
            return False
        return wait_until(lambda: self.pid() is None or self._answers(), RECOVERY_SECONDS, 0.1) and self._answers()

    def _answers(self) -> bool:
        try:
            with self._connect("postgres") as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and row[0] == str(self.cluster)

    def _connect(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.superuser_url, dbname=database, autocommit=True, connect_timeout=5)

    def _create_cluster(self) -> None:
        """initdb beside its final place, so that one cut short is never taken for a cluster."""
        if self.cluster.exists():
            return
        make_folder(self.folder.parent)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.user.own(self.folder)
        fresh = self.folder / "cluster.new"
        self._run("rm", "-rf", str(fresh), elsewhere=True)
        with self._password_file() as password_file:
            made = self._run(
                *("initdb", "-D", str(fresh), "-U", SUPERUSER, f"--pwfile={password_file}", "-A", "scram-sha-256"),
                *("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if self.durable else ("--no-sync",)),
            )
        if made.returncode != 0:
            raise EmbeddedServiceError(f"initdb failed in {self.folder}:\n{made.stdout[-2000:]}")
        fresh.rename(self.cluster)

    @contextmanager
    def _password_file(self) -> Iterator[Path]:
        path = self.folder / "superuser.password"
        self.user.write(self.folder.parent, path, self.notes.password(SUPERUSER))
        try:
            yield path
        finally:
            path.unlink()

    def _launch(self) -> None:
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            self._clear_stale_pid()
            if not is_free(self.notes.port("postgres")):
                self.notes.choose_port("postgres")
            self._write_settings()
            started = self._run(
                *("pg_ctl", "start", "-D", str(self.cluster), "-l", str(self.log)),
                *("-w", "-t", str(int(RECOVERY_SECONDS))),
            )
            if started.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise EmbeddedServiceError(f"PostgreSQL does not start. The end of {self.log}:\n{self._end_of_log()}")
            time.sleep(0.5)

    def _clear_stale_pid(self) -> None:
        """A pid file whose number now belongs to another process would keep PostgreSQL from starting."""
        if self.pid() is None:
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _write_settings(self) -> None:
        settings = {**SETTINGS, **({} if self.durable else UNSAFE_BUT_FAST), "port": str(self.notes.port("postgres"))}
        text = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        self.user.write(self.folder.parent, self.cluster / "postgresql.conf", text)

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else "(empty)"

    def _run(self, program: str, *arguments: str, elsewhere: bool = False) -> "subprocess.CompletedProcess[str]":
        """A program of PostgreSQL's (or, `elsewhere`, of the system's) as the servers' user; its output in `stdout`.

        The output goes through a file: a server that inherited a pipe would keep us waiting for its end. It lies where
        the servers' user cannot put a link in its place.
        """
        command = [program if elsewhere else str(self.programs / program), *arguments]
        output = self.folder.with_name("postgres-programs.log")
        with output.open("w") as sink:
            ended = subprocess.run(
                command, stdout=sink, stderr=sink, env=ENVIRONMENT, check=False, **self.user.spawn_arguments
            )
        return subprocess.CompletedProcess(command, ended.returncode, stdout=output.read_text(errors="replace"))


ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
