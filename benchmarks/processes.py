"""Processes the benchmarks start, and what a tree of processes has used."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
REPOSITORY = Path(__file__).resolve().parents[1]


class NotReady(RuntimeError):
    """A process ended or stayed silent while it should have come up; the message ends with its log."""


def clean_up_when_terminated() -> None:
    """Makes SIGTERM an exception, so that everything that was started is stopped on the way out."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True, slots=True)
class Process:
    """A process in a group of its own, with its output in a file."""

    popen: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, command: Sequence[str], *, log: Path, environ: Mapping[str, str] | None = None) -> "Process":
        with log.open("ab") as output:
            popen = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=None if environ is None else dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(popen, log)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def wait_listening(self, port: int, *, seconds: float = 20.0) -> None:
        """Raises NotReady."""
        deadline = time.monotonic() + seconds
        while not listening(port):
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"{self.popen.args!r} did not listen on {port}:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self, characters: int = 2000) -> str:
        return self.log.read_text(errors="replace")[-characters:]

    def kill(self) -> None:
        """SIGKILL for the whole group."""
        self._signal_group(signal.SIGKILL)
        self.popen.wait()

    def stop(self, *, seconds: float = 15.0) -> None:
        """SIGTERM for the process, SIGKILL for what is left of its group."""
        if self.popen.poll() is None:
            self.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(seconds)
        self._signal_group(signal.SIGKILL)
        self.popen.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def start_upstream(log: Path, *, journal: Path | None = None, options: Sequence[str] = ()) -> tuple[str, Process]:
    """The fault-injecting upstream in a process of its own: base URL (without /v1) and process.

    `options` as on its command line: `("--speed", "2", "--plan", "fault=slow,seconds=0.1")`.
    """
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.upstream", "--port", str(port), *options]
    if journal is not None:
        command += ["--log", str(journal)]
    process = Process.start(command, log=log)
    process.wait_listening(port)
    return f"http://127.0.0.1:{port}", process


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds since the tree's start and resident megabytes now."""

    cpu_seconds: float
    resident_mb: float

    def __sub__(self, earlier: "Used") -> "Used":
        """CPU between two readings; memory as it is now."""
        return Used(self.cpu_seconds - earlier.cpu_seconds, self.resident_mb)


def used_by_tree(root: int) -> Used:
    """What the process and all its descendants use, reaped children included.

    Children that have ended count in their parent's cutime and cstime (proc(5)), living ones in
    their own row, so nothing is counted twice. Shared pages count once for each process.
    """
    pids = list(tree(root))
    return Used(sum(ticks(pid) for pid in pids) / TICKS_PER_SECOND, sum(resident_mb(pid) for pid in pids))


def ticks(pid: int) -> int:
    """CPU of the process and of the children it has waited for; 0 for a process that has ended."""
    try:
        return sum(int(field) for field in stat_fields(pid)[11:15])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def largest_of_tree(root: int) -> float:
    """Resident megabytes of the largest process of the tree: of several workers, one."""
    return max(resident_mb(pid) for pid in tree(root))


def resident_mb(pid: int) -> float:
    """0 for a process that has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1e6
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def stat_fields(pid: int) -> list[str]:
    """/proc/<pid>/stat from the state on: [0] state, [1] parent, [11:15] utime stime cutime cstime."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> Iterator[int]:
    """`root` and every living descendant."""
    families = by_parent()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += families.get(pid, [])


def children(root: int) -> list[int]:
    return by_parent().get(root, [])


def open_sockets(pid: int) -> int:
    """0 for a process that has ended."""
    count = 0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                count += entry.readlink().name.startswith("socket:")
    return count


def by_parent() -> dict[int, list[int]]:
    """Every living process under its parent. Zombies are left out."""
    families: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent, *_ = stat_fields(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state != "Z":
                families.setdefault(int(parent), []).append(int(entry.name))
    return families
