"""A whole run: real embedded services, stand-ins for the rest; started, watched, stopped, killed."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from functools import partial

import pytest

from orchestrator_site.embedded.notes import free_port
from orchestrator_site.embedded.processes import command_line, wait_until
from orchestrator_site.embedded.services import EmbeddedServices
from orchestrator_site.supervisor.local_secrets import local_secrets

PATIENCE = 40.0


class Run:
    """One supervisor as a process; `text` is what it has shown so far."""

    def __init__(self, checkout, port, **environment):
        inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator_site.tests.fake_platform", str(checkout)],
            env={**inherited, "PORT": str(port), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.text = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout or ():
            self.text += line

    def shows(self, words, count=1):
        return wait_until(lambda: self.text.count(words) >= count, PATIENCE)

    def ready(self):
        assert self.shows("Ctrl-C stops everything."), self.text
        return self

    def end(self, sign=signal.SIGTERM):
        """The exit code."""
        self.process.send_signal(sign)
        return self.wait()

    def wait(self):
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code


@pytest.fixture(scope="module")
def checkout(reachable_folder):
    folder = reachable_folder / "checkout"
    folder.mkdir()
    return folder


@pytest.fixture
def start(checkout):
    started = []
    port = free_port()

    def start(at=port, **environment):
        started.append(Run(checkout, at, **environment))
        return started[-1]

    yield start
    for run in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(run.process.pid, signal.SIGTERM)
        run.wait()


@pytest.fixture
def services(checkout):
    return EmbeddedServices(checkout / "var")


def running(services):
    return services.postgres.pid(), services.valkey.pid()


def is_another(service, old):
    return service.pid() not in (None, old)


def test_from_nothing_to_a_banner_and_a_clean_stop(start, services, checkout):
    run = start().ready()
    for command in ("migrate_all", "seed_platform_providers", "seed_demo"):
        assert f"setup    | running {command} with database" in run.text
    assert run.shows("worker   | secrets")
    for shown in ("op@example.com  op-password", "http://acme.localhost:", "Authorization: Bearer orc_test"):
        assert shown in run.text
    assert all(running(services))
    assert run.end() == 0
    assert run.text.endswith("run      | stopping\nrun      | stopped\n")
    assert running(services) == (None, None)
    for name in ("secrets.env", "services.json"):
        assert stat.S_IMODE((checkout / "var" / name).stat().st_mode) == 0o600


def test_a_second_run_repeats_nothing_that_has_not_changed(start):
    assert start().ready().end() == 0
    again = start().ready()
    assert "setup" not in again.text
    assert again.end(signal.SIGINT) == 0
    changed = start(OPENAI_API_KEY="sk-test").ready()
    assert "running seed_platform_providers" in changed.text


def test_a_second_one_beside_it_says_that_it_already_runs(start):
    first = start().ready()
    second = start()
    assert second.wait() == 1
    assert f"It already runs, as process {first.process.pid} at http://localhost:" in second.text
    assert first.process.poll() is None


def test_a_next_one_waits_for_one_that_is_leaving(start):
    first = start().ready()
    first.process.terminate()
    assert first.shows("| stopping")
    start().ready()
    assert first.wait() == 0


def test_killed_services_come_back_while_it_runs(start, services):
    run = start().ready()
    for service, name in ((services.postgres, "Postgres"), (services.valkey, "Valkey")):
        old = service.pid()
        os.kill(old, signal.SIGKILL)
        assert run.shows(f"services | {name} is gone; starting it again")
        assert wait_until(partial(is_another, service, old), PATIENCE)
    assert run.end() == 0


def test_a_killed_supervisor_takes_its_children_along_and_the_next_start_recovers(start, services):
    run = start().ready()
    children = [int(pid) for pid in re.findall(r"\[(\d+), ", (services.state / "children.json").read_text())]
    assert all(map(command_line, children))
    before = running(services)
    assert run.end(signal.SIGKILL) == -signal.SIGKILL
    again = start().ready()
    assert not any(map(command_line, children))
    assert running(services) == before
    assert again.end() == 0


def test_a_taken_port_is_named_with_the_way_out(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = start(port)
        assert run.wait() == 2
    assert f"Port {port} is taken by another program. Choose another: make run PORT={port + 1}" in run.text


def test_a_port_that_is_none_is_refused(start):
    run = start("eight")
    assert run.wait() == 2
    assert "PORT is 'eight'" in run.text


def test_a_failing_set_up_stops_everything_and_is_tried_again(start, services):
    run = start(OLLAMA_HOST="changed", FAILING_COMMAND="seed_platform_providers")
    assert run.wait() == 1
    assert "`manage.py seed_platform_providers` failed" in run.text
    assert "running seed_demo" not in run.text
    assert running(services) == (None, None)
    assert "running seed_demo" in start(OLLAMA_HOST="changed").ready().text


def test_secrets_stay_the_same_and_the_environments_win(checkout):
    path = checkout / "var" / "secrets.env"
    first = local_secrets(path, {})
    assert local_secrets(path, {"SECRET_KEY": "given"}) == {**first, "SECRET_KEY": "given"}
    path.write_text(path.read_text().split("\n", 1)[1])
    assert local_secrets(path, {}).keys() == first.keys()
