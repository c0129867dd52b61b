"""Which processes make up the platform, in the order in which they start."""

import sys
from collections.abc import Mapping

from orchestrator_site.supervisor.child import Command
from orchestrator_site.supervisor.place import Place

# A web process closes its application after its answers had their time.
CLOSING_SECONDS = 10.0


def commands(place: Place, environment: Mapping[str, str]) -> list[Command]:
    web_seconds = float(environment["GRACEFUL_SHUTDOWN_SECONDS"]) + float(environment.get("DRAIN_SECONDS") or 0)
    schedule = str(place.state / "celerybeat-schedule")
    return [
        module("demo", "orchestrator_site.demo", "--port", environment["DEMO_PROVIDER_PORT"], environment=environment),
        module(
            *("web", "orchestrator_site.serve", "--host", place.host, "--port", str(place.port)),
            environment=environment,
            stop_seconds=web_seconds + CLOSING_SECONDS,
        ),
        module(
            *("worker", "celery", "-A", "orchestrator_site", "worker", "-B", "-s", schedule),
            *("-c", "1", "-l", "INFO", "--without-gossip", "--without-mingle"),
            environment=environment,
            stop_seconds=15,
        ),
    ]


def module(name: str, path: str, *arguments: str, environment: Mapping[str, str], stop_seconds: float = 5.0) -> Command:
    return Command(name, (sys.executable, "-m", path, *arguments), dict(environment), stop_seconds)
