"""Questions about processes that are not our children."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def find(words: str) -> int | None:
    """The process whose command line holds `words`, if there is one."""
    return next((pid for pid in every_pid() if words in command_line(pid)), None)


def every_pid() -> list[int]:
    if PROC.exists():
        return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [int(line) for line in ask_ps("-axo", "pid=").split()]


def command_line(pid: int) -> str:
    """The command line of a live process, words separated by spaces; empty when there is none."""
    if not PROC.exists():
        return ask_ps("-o", "command=", "-p", str(pid))
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def ask_ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout.strip()


def is_alive(pid: int, words: str) -> bool:
    """Whether `pid` lives and has `words` in its command line: a number alone may be another's by now."""
    return words in command_line(pid)


def end(pid: int, words: str, seconds: float) -> None:
    """SIGTERM, and SIGKILL after `seconds`, for as long as it is the process that `is_alive` knows."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if not is_alive(pid, words):
            return
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        wait_until(lambda: not is_alive(pid, words), seconds)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
