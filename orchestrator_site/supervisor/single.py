"""One supervisor for one checkout: a file lock, which the system lets go of however its holder ends."""

import fcntl
import json
import os
from pathlib import Path

from orchestrator_site.embedded.processes import wait_until
from orchestrator_site.supervisor.errors import SupervisorError

STOPPING_SECONDS = 60.0


class Single:
    """Holds the lock from `take` until the process ends; the file tells who holds it, and whether it is leaving."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a+")

    def take(self, url: str) -> None:
        """Waits for one that is leaving. Raises SupervisorError when one runs."""
        if not self._try() and not (self.holder().get("stopping") and wait_until(self._try, STOPPING_SECONDS, 0.1)):
            raise SupervisorError(
                f"It already runs, as process {self.holder().get('pid')} at {self.holder().get('url')}. "
                "`make stop` stops it."
            )
        self._write({"pid": os.getpid(), "url": url})

    def leaving(self) -> None:
        """Says so to a next one that waits."""
        self._write({**self.holder(), "stopping": True})

    def holder(self) -> dict[str, object]:
        """Who holds the lock, or held it last."""
        try:
            found: dict[str, object] = json.loads(self.path.read_text())
        except ValueError:
            return {}
        return found

    def running_pid(self) -> int | None:
        """The process that holds the lock now."""
        if self._try():
            fcntl.flock(self._file, fcntl.LOCK_UN)
            return None
        pid = self.holder().get("pid")
        return pid if isinstance(pid, int) else None

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _write(self, holder: dict[str, object]) -> None:
        self._file.truncate(0)
        self._file.write(json.dumps(holder))
        self._file.flush()
