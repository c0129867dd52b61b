"""A webhook on a real socket: remembers what it was sent, and answers as it is told to."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def signed_with(self, *secrets: str) -> bool:
        """Whether each secret made one of the signatures, as the specification says, and nobody else did."""
        message = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
        digests = [hmac.new(key, message, hashlib.sha256).digest() for key in keys]
        return self.headers["webhook-signature"].split(" ") == [
            f"v1,{base64.b64encode(digest).decode()}" for digest in digests
        ]


@dataclass
class Receiver:
    """`status` may be changed, and `None` never answers; `headers` go with it."""

    url: str = ""
    status: int | None = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    received: list[Received] = field(default_factory=list)
    on_message: Callable[[], None] = lambda: None

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.received]


@contextmanager
def receiving(**options: Any) -> Iterator[Receiver]:
    receiver, release = Receiver(**options), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            receiver.on_message()
            if receiver.status is None:
                release.wait(20)
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        # The usual 5 resets connections that come together.
        request_queue_size = 128
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        release.set()
        server.shutdown()
        server.server_close()
