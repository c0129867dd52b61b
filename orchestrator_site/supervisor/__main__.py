"""`python -m orchestrator_site.supervisor [run|stop|status|clean]`; `make run`, `make stop` and `make clean`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (this line is for those who have an older one)
    sys.exit(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}. Try: make run PYTHON=python3.11")

import argparse
import asyncio
import os
import shutil
import signal

from orchestrator_site.embedded.errors import EmbeddedServiceError
from orchestrator_site.embedded.processes import command_line, wait_until
from orchestrator_site.embedded.services import EmbeddedServices
from orchestrator_site.embedded.testing import services_for_tests
from orchestrator_site.supervisor.errors import SupervisorError
from orchestrator_site.supervisor.fleet import end_leftovers
from orchestrator_site.supervisor.lifeline import tie_myself
from orchestrator_site.supervisor.place import CHECKOUT, Place
from orchestrator_site.supervisor.session import run
from orchestrator_site.supervisor.single import Single
from orchestrator_site.supervisor.voice import Voice

STOP_SECONDS = 90.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestrator_site.supervisor", description=__doc__)
    parser.add_argument("action", nargs="?", default="run", choices=["run", "stop", "status", "clean"])
    parser.add_argument("--with-parent", action="store_true", help="stop when the starting process ends")
    arguments = parser.parse_args()
    os.chdir(CHECKOUT)
    try:
        place = Place.of(CHECKOUT, os.environ)
        if arguments.action != "run":
            return {"stop": stop, "status": status, "clean": clean}[arguments.action](place)
        if arguments.with_parent:
            tie_myself()
        asyncio.run(run(place, os.environ, Voice()))
    except (SupervisorError, EmbeddedServiceError) as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code if isinstance(error, SupervisorError) else 1
    return 0


def stop(place: Place) -> int:
    """Stops the supervisor, or what a killed one left running."""
    pid = Single(place.state / "supervisor.lock").running_pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        return 0 if wait_until(lambda: "supervisor" not in command_line(pid), STOP_SECONDS, 0.1) else 1
    end_leftovers(place.state / "children.json")
    if (place.state / "services.json").exists():
        EmbeddedServices(place.state).stop()
    return 0


def clean(place: Place) -> int:
    """Stops everything, the tests' services too, and removes what lies outside the checkout."""
    code = stop(place)
    services_for_tests().stop()
    if not place.state.is_relative_to(place.checkout):
        shutil.rmtree(place.state)
    return code


def status(place: Place) -> int:
    pid = Single(place.state / "supervisor.lock").running_pid()
    print("stopped" if pid is None else f"running, process {pid}")
    return 1 if pid is None else 0


if __name__ == "__main__":
    sys.exit(main())
