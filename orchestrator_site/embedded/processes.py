"""Questions about processes that are not our children."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def command_line(pid: int) -> str:
    """The command line of a live process, words separated by spaces; empty when there is none."""
    proc = Path("/proc") / str(pid) / "cmdline"
    if Path("/proc/self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()


def is_alive(pid: int, word: str) -> bool:
    """Whether `pid` lives and has `word` in its command line: a number alone may have been given to another process."""
    return word in command_line(pid)


def end(pid: int, word: str, seconds: float) -> None:
    """SIGTERM, and SIGKILL after `seconds`, for as long as it is the process that `is_alive` knows."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if not is_alive(pid, word):
            return
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        wait_until(lambda: not is_alive(pid, word), seconds)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
