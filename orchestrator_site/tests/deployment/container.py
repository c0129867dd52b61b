"""A process that sees what a container would show it: a read-only file system, an empty /tmp, no privileges.

Where the kernel lets us (root, usually), `unshare` gives it mounts of its own and `setpriv` takes its capabilities;
elsewhere it runs as it is.
"""

import functools
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator_site.tests.deployment.compose_file import ROOT

MOUNTS = """
mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && mount -o remount,bind,ro / &&
mount -t tmpfs -o mode=1777 tmpfs /tmp && cd "$0" && exec "$@"
"""
WALLS = [
    *("unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS, str(ROOT)),
    *("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"),
]


@functools.cache
def walls() -> list[str]:
    """What to put before a command."""
    tried = subprocess.run([*WALLS, "true"], capture_output=True, check=False)
    return WALLS if tried.returncode == 0 else []


class Container:
    """One command with nothing of our environment but the way to the programs."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, *, path: str) -> None:
        self.environment = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", **environment}
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*walls(), *command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def execute(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command beside it, as `docker exec` would."""
        enter = ["nsenter", "--mount", "--wd=" + str(ROOT), "--target", str(self.process.pid)] if walls() else []
        return subprocess.run(
            [*enter, *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def wait_healthy(self, healthcheck: Sequence[str], *, seconds: float = 60.0) -> None:
        """AssertionError with the end of its log when it isn't in time."""
        deadline = time.monotonic() + seconds
        while (checked := self.execute(healthcheck)).returncode != 0:
            said = f"{checked.stdout}{checked.stderr}\n{self.end_of_log()}"
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{said}"
            assert time.monotonic() < deadline, f"not healthy within {seconds:g} s:\n{said}"
            time.sleep(0.2)

    def stop(self, *, seconds: float = 60.0) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not stop within {seconds:g} s:\n{self.end_of_log()}") from None

    def end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


PROGRAMS = str(Path(sys.executable).parent)
