"""The embedded Valkey: a config file, a daemon, a password, loopback only."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from orchestrator_site.embedded.errors import EmbeddedServiceError
from orchestrator_site.embedded.notes import Notes, is_free
from orchestrator_site.embedded.privileges import ServiceUser, make_folder
from orchestrator_site.embedded.processes import end, is_alive, wait_until

RETRY_SECONDS = 10.0
LOADING_SECONDS = 60.0
STOP_SECONDS = 10.0

SETTINGS = {
    "bind": "127.0.0.1",
    "daemonize": "yes",
    "protected-mode": "yes",
    "databases": "512",
    "maxmemory-policy": "noeviction",
    "save": '""',
    "loglevel": "notice",
    # The title names the config file, by which a live server is known to be ours.
    "proc-title-template": '"{title} {config-file}"',
}
DURABLE = {"appendonly": "yes", "appendfsync": "everysec", "aof-load-truncated": "yes"}


class Valkey:
    """One server with its files in `folder`. `durable=False` keeps nothing on disk: for tests alone."""

    def __init__(self, folder: Path, program: Path, user: ServiceUser, notes: Notes, *, durable: bool = True) -> None:
        self.folder = folder
        self.config = folder / "valkey.conf"
        self.log = folder / "valkey.log"
        self.program = program
        self.user = user
        self.notes = notes
        self.durable = durable

    @property
    def redis_url(self) -> str:
        return f"redis://:{self.notes.password('valkey')}@127.0.0.1:{self.notes.port('valkey')}/0"

    def pid(self) -> int | None:
        """The live server of this folder, if there is one."""
        recorded = self._recorded_pid() or self._answering_pid()
        return recorded if recorded is not None and is_alive(recorded, str(self.config)) else None

    def start(self) -> None:
        """Returns when it answers. Raises EmbeddedServiceError."""
        deadline = time.monotonic() + RETRY_SECONDS
        while not self._is_up():
            if time.monotonic() > deadline:
                raise EmbeddedServiceError(f"Valkey does not start. The end of {self.log}:\n{self._end_of_log()}")
            self._launch()

    def stop(self) -> None:
        """Lets it write its file out, then ends it; SIGKILL when that takes too long."""
        pid = self.pid()
        if pid is not None:
            end(pid, str(self.config), STOP_SECONDS)

    def _is_up(self) -> bool:
        """Whether our server runs and answers; one that is still loading its file is waited for."""
        return self.pid() is not None and wait_until(lambda: self._answers() or self.pid() is None, LOADING_SECONDS)

    def _answers(self) -> bool:
        return b"+PONG" in self._ask("PING")

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.folder / "valkey.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _answering_pid(self) -> int | None:
        """Its own word, for when the pid file is lost; none but our server takes our password."""
        found = re.search(rb"process_id:(\d+)", self._ask("INFO server"))
        return int(found[1]) if found else None

    def _ask(self, command: str) -> bytes:
        """The raw replies to AUTH, `command` and QUIT; empty when nobody answers."""
        commands = f"AUTH {self.notes.password('valkey')}\r\n{command}\r\nQUIT\r\n".encode()
        try:
            with socket.create_connection(("127.0.0.1", self.notes.port("valkey")), timeout=2) as connection:
                connection.sendall(commands)
                return connection.makefile("rb").read()
        except OSError:
            return b""

    def _launch(self) -> None:
        if not is_free(self.notes.port("valkey")):
            self.notes.choose_port("valkey")
        self._write_config()
        self._set_damaged_file_aside()
        subprocess.run(
            [str(self.program), str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            check=False,
            **self.user.spawn_arguments,
        )
        wait_until(lambda: self.pid() is not None, 2)

    def _write_config(self) -> None:
        make_folder(self.folder.parent)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.user.own(self.folder)
        settings = {
            **SETTINGS,
            **(DURABLE if self.durable else {"appendonly": "no"}),
            "port": str(self.notes.port("valkey")),
            "requirepass": self.notes.password("valkey"),
            "dir": f'"{self.folder}"',
            "logfile": f'"{self.log}"',
            "pidfile": f'"{self.folder / "valkey.pid"}"',
        }
        self.config.touch(mode=0o600)
        self.config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self.user.own(self.config)

    def _set_damaged_file_aside(self) -> None:
        """A file it refused to load (a power cut can do that) is kept beside; what was in it can be rebuilt."""
        if "Bad file format reading the append only file" in self._end_of_log():
            shutil.move(self.folder / "appendonlydir", self.folder / f"appendonlydir.damaged.{time.time_ns()}")
            os.truncate(self.log, 0)

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else "(empty)"
