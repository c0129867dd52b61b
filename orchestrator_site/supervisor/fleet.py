"""Several children as one: started in order, stopped in the reverse, and given up together."""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator_site.embedded import processes
from orchestrator_site.supervisor.child import Child, Command, Say
from orchestrator_site.whole_files import write_whole

LEFTOVER_SECONDS = 5.0


class Fleet:
    """`record` is a file that names the running children, for a next start to find those that outlived us."""

    def __init__(
        self,
        commands: Sequence[Command],
        *,
        say: Say | None = None,
        record: Path | None = None,
        stop_together: bool = False,
    ) -> None:
        self.children = [Child(command, say, self._write_record) for command in commands]
        self._record = record
        self._stop_together = stop_together

    async def start(self) -> None:
        for child in self.children:
            await child.start()

    async def until(self, leave: asyncio.Event) -> int:
        """Waits for `leave` (0), or for a child that cannot run at all (its exit code)."""
        leaving = asyncio.create_task(leave.wait())
        endings = [asyncio.create_task(child.ended()) for child in self.children]
        try:
            done, _ = await asyncio.wait([leaving, *endings], return_when=asyncio.FIRST_COMPLETED)
            return next((ending.result() for ending in endings if ending in done), 0)
        finally:
            for task in (leaving, *endings):
                task.cancel()

    async def stop(self) -> None:
        """Every child ends, also when waiting for one of them is cut short: they are killed then."""
        try:
            if self._stop_together:
                await asyncio.gather(*(child.stop() for child in self.children))
            for child in reversed(self.children):
                await child.stop()
        finally:
            for child in self.children:
                child.kill()
            if self._record is not None:
                self._record.unlink(missing_ok=True)

    def _write_record(self) -> None:
        if self._record is None:
            return
        running = [[child.pid, child.command.mark] for child in self.children if child.pid is not None]
        write_whole(self._record, json.dumps(running), mode=0o644)


def end_leftovers(record: Path) -> int:
    """Ends the children of a supervisor that was killed; how many groups there were."""
    try:
        recorded = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return 0
    alive = [group for group, mark in recorded if members(group, mark)]
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for group, mark in recorded:
            if members(group, mark):
                with suppress(ProcessLookupError):
                    os.killpg(group, sign)
        processes.wait_until(lambda: not any(members(*each) for each in recorded), LEFTOVER_SECONDS)
    record.unlink()
    return len(alive)


def members(group: int, mark: str) -> list[int]:
    """The processes of a group whose command line shows that they are ours: a number alone could be anybody's."""
    return [pid for pid in processes.every_pid() if group_of(pid) == group and mark in processes.command_line(pid)]


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None
