"""Children of the supervisor: their lines, restarts, stop order, deadlines, and what a SIGKILL leaves behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from orchestrator_site.embedded.processes import command_line, wait_until
from orchestrator_site.supervisor import child as child_module
from orchestrator_site.supervisor.child import Child, Command
from orchestrator_site.supervisor.fleet import Fleet, end_leftovers, members

PATIENCE = 20.0

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
TELLS_ITS_END = (
    "import signal, sys, time\n"
    "def leave(*_):\n"
    "    open({path!r}, 'a').write({name!r} + ' '); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, leave); print('up', flush=True); time.sleep(60)"
)
STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('up', grandchild.pid, flush=True); time.sleep(60)"
)


def python(name, program, **options):
    return Command(name, (sys.executable, "-c", program), **options)


class Lines(list[tuple[str, str]]):
    """What the children said, as (name, line)."""

    def say(self, name, line):
        self.append((name, line))

    async def until(self, line, count=1):
        async with asyncio.timeout(PATIENCE):
            while sum(line in said for _, said in self) < count:  # noqa: ASYNC110 (a list rings no bell)
                await asyncio.sleep(0.01)


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture(autouse=True)
def quick_restarts(monkeypatch):
    monkeypatch.setattr(child_module, "BACKOFF_SECONDS", (0.05,))


async def test_lines_come_behind_the_name_whole_and_from_both_streams(lines):
    program = "import os, sys; os.write(1, b'one\\n'); os.write(2, b'two\\n'); os.write(1, 'é'.encode()); sys.exit(2)"
    child = Child(python("web", program), lines.say)
    await child.start()
    assert await child.ended() == 2
    assert lines == [("web", "one"), ("web", "two"), ("web", "é")]


async def test_a_line_without_an_end_is_broken_up(lines):
    child = Child(python("web", "import sys; sys.stdout.write('x' * 300_000); sys.exit(2)"), lines.say)
    await child.start()
    await child.ended()
    assert "".join(line for _, line in lines) == "x" * 300_000
    assert len(lines) > 1


async def test_a_child_that_ends_is_started_again(lines):
    child = Child(python("web", "import sys; print('up', flush=True); sys.exit(3)"), lines.say)
    await child.start()
    await lines.until("up", count=3)
    await child.stop()
    assert ("web", "ended with code 3; starting it again in 0.05 s") in lines
    seen = len(lines)
    await asyncio.sleep(0.3)
    assert len(lines) == seen


async def test_a_killed_child_is_started_again(lines):
    child = Child(python("web", SLEEPS), lines.say)
    await child.start()
    await lines.until("up")
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await lines.until("up", count=2)
    assert child.pid != first
    await child.stop()
    assert any("signal SIGKILL" in line for _, line in lines)


async def test_the_pause_grows(lines, monkeypatch):
    monkeypatch.setattr(child_module, "BACKOFF_SECONDS", (0.01, 0.02, 0.03))
    child = Child(python("web", "import sys; sys.exit(1)"), lines.say)
    await child.start()
    await lines.until("again in 0.03 s", count=2)
    await child.stop()
    assert [line.split()[-2] for _, line in lines[:4]] == ["0.01", "0.02", "0.03", "0.03"]


async def test_a_child_that_cannot_run_at_all_is_not_started_again(lines):
    fleet = Fleet([python("demo", SLEEPS), python("web", "import sys; sys.exit(2)")], say=lines.say)
    await fleet.start()
    assert await asyncio.wait_for(fleet.until(asyncio.Event()), PATIENCE) == 2
    await fleet.stop()


async def test_they_stop_in_the_reverse_of_their_order(lines, tmp_path):
    path = str(tmp_path / "order")
    names = ("demo", "web", "worker")
    fleet = Fleet([python(name, TELLS_ITS_END.format(path=path, name=name)) for name in names], say=lines.say)
    await fleet.start()
    await lines.until("up", count=3)
    await fleet.stop()
    assert (tmp_path / "order").read_text().split() == ["worker", "web", "demo"]


async def test_a_stubborn_child_is_killed_at_its_deadline_with_its_own_children(lines):
    child = Child(python("web", STUBBORN, stop_seconds=0.2), lines.say)
    await child.start()
    await lines.until("up")
    grandchild = int(lines[0][1].split()[1])
    assert command_line(grandchild)
    await child.stop()
    assert ("web", "did not stop within 0.2 s and is killed") in lines
    assert wait_until(lambda: not command_line(grandchild), PATIENCE)


async def test_a_stop_cut_short_kills_them_all(lines):
    fleet = Fleet([python("demo", SLEEPS), python("web", STUBBORN, stop_seconds=60)], say=lines.say)
    await fleet.start()
    await lines.until("up", count=2)
    stopping = asyncio.create_task(fleet.stop())
    await asyncio.sleep(0.1)
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await stopping
    assert wait_until(lambda: not any(command_line(child.pid or 0) for child in fleet.children), PATIENCE)


FLEET_PROGRAM = """
import asyncio, pathlib, sys
from orchestrator_site.supervisor import child
from orchestrator_site.supervisor.child import Command
from orchestrator_site.supervisor.fleet import Fleet

async def main(record, tied):
    if not tied:
        child.tie_to_parent = lambda: None
    sleep = (sys.executable, "-c", {program!r})
    fleet = Fleet([Command("web", sleep), Command("worker", sleep)], say=lambda *_: None, record=pathlib.Path(record))
    await fleet.start()
    print(*(each.pid for each in fleet.children), flush=True)
    await fleet.until(asyncio.Event())

asyncio.run(main(sys.argv[1], sys.argv[2] == "tied"))
"""


def killed_supervisor(record, tied):
    """The children's ids of a supervisor that has been killed."""
    program = FLEET_PROGRAM.format(program="import time; time.sleep(60)")
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program, str(record), tied], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert supervisor.stdout is not None
    pids = [int(word) for word in supervisor.stdout.readline().split()]
    assert all(command_line(pid) for pid in pids)
    supervisor.kill()
    supervisor.communicate()
    return pids


@pytest.mark.skipif(sys.platform != "linux", reason="no parent-death signal here")
def test_children_end_with_a_killed_supervisor(tmp_path):
    pids = killed_supervisor(tmp_path / "children.json", "tied")
    assert len(pids) == 2
    assert wait_until(lambda: not any(map(command_line, pids)), PATIENCE)


def test_children_that_outlive_a_killed_supervisor_are_ended_at_the_next_start(tmp_path):
    record = tmp_path / "children.json"
    pids = killed_supervisor(record, "loose")
    time.sleep(0.2)
    assert all(map(command_line, pids))
    assert end_leftovers(record) == 2
    assert not any(map(command_line, pids))
    assert end_leftovers(record) == 0


def test_a_stranger_with_the_number_of_an_old_child_is_left_alone(tmp_path):
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPS], start_new_session=True)
    try:
        # The kernel lets go of Popen a moment before a new program's command line can be read.
        assert wait_until(lambda: command_line(stranger.pid) != "", PATIENCE)
        record = tmp_path / "children.json"
        record.write_text(f'[[{stranger.pid}, "python -m something.else"]]')
        assert end_leftovers(record) == 0
        assert stranger.poll() is None
        assert members(stranger.pid, SLEEPS) == [stranger.pid]
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="no parent-death signal here")
def test_a_supervisor_tied_to_its_starter_ends_with_it():
    """What `make run` asks for, so that a killed make leaves nothing running."""
    tied = f"from orchestrator_site.supervisor.lifeline import tie_myself; tie_myself()\n{SLEEPS}"
    starter = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {tied!r}]); print(c.pid); c.wait()",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert starter.stdout.readline() == "up\n"
    starter.kill()
    assert wait_until(lambda: not command_line(pid), PATIENCE)
    starter.communicate()
