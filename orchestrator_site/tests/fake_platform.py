"""A platform of small parts for the tests of a session: `python -m orchestrator_site.tests.fake_platform CHECKOUT`.

The embedded services are real; `manage.py` and the web process are stand-ins.
"""

import asyncio
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from orchestrator_site.supervisor import session
from orchestrator_site.supervisor.child import Command
from orchestrator_site.supervisor.errors import SupervisorError
from orchestrator_site.supervisor.place import Place
from orchestrator_site.supervisor.voice import Voice

DEMO = {
    "base_url": "http://localhost",
    "operator": {"email": "op@example.com", "password": "op-password"},
    "tenants": [
        {
            "name": "acme",
            "host": "acme.localhost",
            "api_key": "orc_test",
            "users": [{"email": "alice@example.com", "password": "alice-password", "role": "owner"}],
        }
    ],
}
MANAGE = f"""
import os, sys
print("running", sys.argv[1], "with database" if os.environ["DATABASE_URL"].startswith("postgresql://") else "alone")
if sys.argv[1] == os.environ.get("FAILING_COMMAND"):
    sys.exit(1)
if sys.argv[1] == "seed_demo":
    open(sys.argv[sys.argv.index("--output") + 1], "w").write({json.dumps(DEMO)!r})
"""


class Web(BaseHTTPRequestHandler):
    """Ready, and completing, for the demo key alone."""

    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.answer(200 if self.headers["authorization"] == "Bearer orc_test" else 401)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()


def commands(place, environment):
    module = (sys.executable, "-m", "orchestrator_site.tests.fake_platform")
    return [
        Command("web", (*module, "web", str(place.port)), environment),
        Command("worker", (*module, "worker"), environment),
    ]


def main():
    match sys.argv[1:]:
        case ["web", port]:
            ThreadingHTTPServer(("127.0.0.1", int(port)), Web).serve_forever()
        case ["worker"]:
            print("secrets" if len(os.environ["SECRET_KEY"]) > 32 else "no secrets", flush=True)  # noqa: T201 (the test reads it)
            asyncio.run(asyncio.sleep(600))
        case [checkout]:
            return run(Path(checkout))
    return 0


def run(checkout):
    setattr(session, "commands", commands)  # noqa: B010 (it is imported there)
    (checkout / "manage.py").write_text(MANAGE)
    (checkout / "requirements.txt").touch()
    try:
        asyncio.run(session.run(Place.of(checkout, os.environ), os.environ, Voice()))
    except SupervisorError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
