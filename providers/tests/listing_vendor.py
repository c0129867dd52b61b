"""A server on a real socket that answers the question for its models, and remembers how it was asked."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def vendor(status=200, body=b"", *, headers=(), refused=(), slow=False):
    """Answers with `status`; None: never; with 401 to the `refused` secrets. A slow one never ends its answer.

    Yields its URL and what it was asked.
    """
    asked = []
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            shown = self.headers.get("authorization")
            asked.append((self.path, shown))
            if status is None:
                release.wait(20)
                return
            self.send_response(401 if shown in {f"Bearer {secret}" for secret in refused} else status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("connection", "close")
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return
            if slow:
                release.wait(20)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        release.set()
        server.shutdown()
        server.server_close()
