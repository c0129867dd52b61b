"""`python -m orchestrator_site.embedded start|stop|status|env [--test]`."""

import argparse
import sys

from orchestrator_site.embedded.errors import EmbeddedServiceError
from orchestrator_site.embedded.privileges import state_directory
from orchestrator_site.embedded.services import EmbeddedServices
from orchestrator_site.embedded.testing import CHECKOUT, services_for_tests


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestrator_site.embedded", description=__doc__)
    parser.add_argument("action", choices=["start", "stop", "status", "env"])
    parser.add_argument("--test", action="store_true", help="the pair that the tests share")
    arguments = parser.parse_args()
    try:
        services = services_for_tests() if arguments.test else EmbeddedServices(state_directory(CHECKOUT))
        return act(arguments.action, services)
    except EmbeddedServiceError as error:
        print(error, file=sys.stderr)
        return 1


def act(action: str, services: EmbeddedServices) -> int:
    if action == "stop":
        services.stop()
        return 0
    if action == "start":
        services.start()
    running = services.postgres.pid(), services.valkey.pid()
    if action == "env":
        addresses = services.addresses()
        print(f"DATABASE_URL={addresses.database_url}\nREDIS_URL={addresses.redis_url}")
    else:
        names = ("PostgreSQL", "Valkey")
        for name, pid in zip(names, running, strict=True):
            print(f"{name:<11}{f'running, process {pid}' if pid else 'stopped'}")
    return 0 if all(running) else 1


if __name__ == "__main__":
    sys.exit(main())
