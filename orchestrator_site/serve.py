"""The web process: `python -m orchestrator_site.serve --host 127.0.0.1 --port 8000`.

uvicorn with uvloop, httptools and websockets. On SIGTERM or SIGINT readiness goes 503 first, DRAIN_SECONDS later the
listener closes, and running answers get GRACEFUL_SHUTDOWN_SECONDS. A second SIGINT hurries. With WEB_CONCURRENCY above
one, that many such processes share the listener. Exit code 2: it cannot run as configured; trying again is no use.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import tempfile
from types import FrameType

import uvicorn

from orchestrator_site.draining import is_draining, start_draining
from orchestrator_site.settings.environment import ConfigurationError, Environment
from orchestrator_site.supervisor.child import Command
from orchestrator_site.supervisor.fleet import Fleet
from orchestrator_site.whole_writes import WholeWrites

APPLICATION = "orchestrator_site.asgi:application"
BACKLOG = 2048
UNUSABLE = 2
# Beyond what its answers get: closing the application, and a margin.
CLOSING_SECONDS = 10.0


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which tells that it is leaving before it leaves, and then exits with 0."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self.drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if is_draining():
            if sig == signal.SIGINT:
                self.force_exit = self.should_exit
                self.should_exit = True
            return
        start_draining()
        if self.drain_seconds and self.started:
            loop = asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, self.drain_seconds, self.leave)
        else:
            self.leave()

    def leave(self) -> None:
        self.should_exit = True


def main() -> int:
    arguments = parse_arguments()
    try:
        environment = Environment.read(os.environ)
        listener = inherited(arguments.fd) if arguments.fd else bind(arguments.host, arguments.port or environment.port)
    except (ConfigurationError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (nothing is set up to log yet)
        return UNUSABLE
    if environment.web_concurrency > 1 and not arguments.fd:
        with tempfile.TemporaryDirectory(prefix="orchestrator-metrics-") as folder:
            # Where the workers keep their figures, so that they add up (orchestrator_site.metrics_exposure).
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            return asyncio.run(run_workers(listener, environment, arguments.app))
    return run_one(listener, environment, arguments.app)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orchestrator_site.serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, help="default: PORT")
    parser.add_argument("--app", default=APPLICATION, help="module:attribute of the ASGI application")
    parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def bind(host: str, port: int) -> socket.socket:
    """OSError, in words for the operator, when the address cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"{host} port {port} cannot be used: {error.strerror}. Choose another with PORT.") from None
    return listener


def inherited(number: int) -> socket.socket:
    return socket.socket(fileno=number)


def run_one(listener: socket.socket, environment: Environment, app: str) -> int:
    server = DrainingServer(configuration(environment, app), environment.drain_seconds)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def configuration(environment: Environment, app: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=WholeWrites,
        ws="websockets-sansio",
        lifespan="on",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(environment.trusted_proxies),
        forwarded_allow_ips=list(environment.trusted_proxies),
        timeout_graceful_shutdown=round(environment.graceful_shutdown_seconds),
    )


async def run_workers(listener: socket.socket, environment: Environment, app: str) -> int:
    """Keeps WEB_CONCURRENCY workers on one listener until a signal; the code of a worker that cannot run at all."""
    number = listener.fileno()
    patience = environment.drain_seconds + environment.graceful_shutdown_seconds + CLOSING_SECONDS
    worker = (sys.executable, "-m", "orchestrator_site.serve", "--fd", str(number), "--app", app)
    fleet = Fleet(
        [
            Command(f"web-{place}", worker, stop_seconds=patience, pass_fds=(number,), own_group=False)
            for place in range(environment.web_concurrency)
        ],
        stop_together=True,
    )
    leave = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, leave.set)
    await fleet.start()
    code = await fleet.until(leave)
    # The workers hold it too; were it open here, connections would queue where nobody accepts.
    listener.close()
    await fleet.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
