"""The embedded Valkey: a config file, a daemon, a password, loopback only."""

import socket
import subprocess
import time
from pathlib import Path

from orchestrator_site.embedded import processes
from orchestrator_site.embedded.errors import EmbeddedServiceError
from orchestrator_site.embedded.notes import Notes, is_free
from orchestrator_site.embedded.privileges import ServiceUser, make_folder
from orchestrator_site.embedded.processes import wait_until

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

    @property
    def _title(self) -> str:
        """How the process list shows our server and no other."""
        return f"valkey-server {self.config}"

    def pid(self) -> int | None:
        """The live server of this folder, if there is one."""
        return processes.find(self._title)

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
            processes.end(pid, self._title, STOP_SECONDS)

    def _is_up(self) -> bool:
        """Whether our server runs and answers; one that is still loading its file is waited for."""
        if self.pid() is None:
            return False
        return wait_until(lambda: self.pid() is None or self._answers(), LOADING_SECONDS) and self._answers()

    def _answers(self) -> bool:
        commands = f"AUTH {self.notes.password('valkey')}\r\nPING\r\nQUIT\r\n".encode()
        try:
            with socket.create_connection(("127.0.0.1", self.notes.port("valkey")), timeout=2) as connection:
                connection.sendall(commands)
                return b"+PONG" in connection.makefile("rb").read()
        except OSError:
            return False

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
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        self.user.write(self.folder.parent, self.config, text)

    def _set_damaged_file_aside(self) -> None:
        """A file it refused to load (a power cut can do that) is kept beside; what was in it can be rebuilt."""
        if "Bad file format reading the append only file" in self._end_of_log():
            (self.folder / "appendonlydir").rename(self.folder / f"appendonlydir.damaged.{time.time_ns()}")
            self.log.unlink()

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else "(empty)"
