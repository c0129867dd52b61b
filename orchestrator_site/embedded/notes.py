"""What is chosen once and kept: passwords and ports, in one file that only its owner reads."""

import json
import random
import secrets
import socket
from pathlib import Path

from orchestrator_site.whole_files import write_whole

# Below the range from which systems take ports for outgoing connections.
PORTS = range(15_000, 30_000)


class Notes:
    """Names and values in a JSON file of mode 0600, written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def password(self, name: str) -> str:
        """The password of `name`, made up at first use."""
        return self.find(f"{name}.password") or self.store(f"{name}.password", secrets.token_urlsafe(32))

    def port(self, name: str) -> int:
        """The loopback port of `name`, chosen at first use."""
        return int(self.find(f"{name}.port") or self.choose_port(name))

    def choose_port(self, name: str) -> int:
        """A port nobody listens on now, kept from here on."""
        return int(self.store(f"{name}.port", str(free_port())))

    def find(self, name: str) -> str | None:
        return self.read().get(name)

    def store(self, name: str, value: str) -> str:
        values = {**self.read(), name: value}
        write_whole(self.path, json.dumps(values, indent=1), mode=0o600)
        return value

    def read(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        values: dict[str, str] = json.loads(self.path.read_text())
        return values


def free_port() -> int:
    while True:
        port = random.choice(PORTS)  # noqa: S311 (a port is no secret)
        if is_free(port):
            return port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
