"""One child process: its output passed on line by line, started again when it ends unasked, stopped with a deadline."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from orchestrator_site.supervisor.lifeline import tie_to_parent

# A command that ends with this code says that starting it again is no use.
UNUSABLE = 2
BACKOFF_SECONDS = (0.25, 0.5, 1, 2, 5, 10)
# Having run this long, it starts at the shortest pause again.
HEALTHY_SECONDS = 30.0
LONGEST_LINE = 64 * 1024

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and under which name its lines appear.

    `environment` None is ours. `own_group` shields it from the terminal's Ctrl-C and ends it with all its children.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    stop_seconds: float = 10.0
    pass_fds: tuple[int, ...] = ()
    own_group: bool = True

    @property
    def mark(self) -> str:
        """The words by which its processes are known in the process list."""
        return " ".join(self.arguments[:3])


class Child:
    """Keeps one command running. `say(name, line)` takes its output; without it the child writes where we do."""

    def __init__(self, command: Command, say: Say | None = None, started: Callable[[], None] = lambda: None) -> None:
        self.command = command
        self.exit_code = 0
        self._say = say
        self._started = started
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._finished = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process started last."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Returns when it was started the first time; from then on it is kept running."""
        process = await self._spawn()
        self._keeper = asyncio.create_task(self._keep(process))

    async def ended(self) -> int:
        """The exit code, once it will not be started again."""
        await self._finished.wait()
        return self.exit_code

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL after `stop_seconds` or when we are cancelled."""
        if self._keeper is None:
            return
        self._stopping.set()
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._finished.wait(), self.command.stop_seconds)
        except TimeoutError:
            self._tell(f"did not stop within {self.command.stop_seconds:g} s and is killed")
        finally:
            self.kill()
        await self._finished.wait()

    def kill(self) -> None:
        """SIGKILL for it and whatever it left behind; it will not be started again."""
        self._stopping.set()
        self._end_group()

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            self.exit_code = await self._outcome(process)
            self._end_group()
            if self._stopping.is_set() or self.exit_code == UNUSABLE:
                break
            failures = 1 if time.monotonic() - began > HEALTHY_SECONDS else failures + 1
            pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
            self._tell(f"ended with {outcome(self.exit_code)}; starting it again in {pause:g} s")
            if await self._stopped_within(pause):
                break
            process = await self._spawn()
            if self._stopping.is_set():
                self._signal(signal.SIGTERM)
        self._finished.set()

    async def _stopped_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def _spawn(self) -> asyncio.subprocess.Process:
        output = None if self._say is None else asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self.command.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else asyncio.subprocess.STDOUT,
            env=self.command.environment,
            pass_fds=self.command.pass_fds,
            start_new_session=self.command.own_group,
            preexec_fn=tie_to_parent(),
        )
        self._started()
        return self._process

    async def _outcome(self, process: asyncio.subprocess.Process) -> int:
        """Its exit code, after the last of its lines."""
        reader = asyncio.create_task(self._pass_on(process.stdout))
        code = await process.wait()
        # A grandchild may hold the pipe open for good.
        await asyncio.wait([reader], timeout=0.5)
        reader.cancel()
        return code

    async def _pass_on(self, stream: asyncio.StreamReader | None) -> None:
        """Whole lines; one without an end in sight is broken up."""
        rest = b""
        while stream is not None and self._say is not None and (read := await stream.read(LONGEST_LINE)):
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                self._tell(line.decode(errors="replace"))
            if len(rest) > LONGEST_LINE:
                self._tell(rest.decode(errors="replace"))
                rest = b""
        if rest:
            self._tell(rest.decode(errors="replace"))

    def _tell(self, line: str) -> None:
        if self._say is not None:
            self._say(self.command.name, line.rstrip())
        else:
            print(f"{self.command.name} {line}", file=sys.stderr, flush=True)

    def _signal(self, sign: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(sign)

    def _end_group(self) -> None:
        self._signal(signal.SIGKILL)
        if self.command.own_group and self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def outcome(code: int) -> str:
    """An exit code in words: a negative one is a signal's number."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
