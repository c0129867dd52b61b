"""What the terminal shows: every process's lines behind its name, and the banner."""

import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

COLOURS = {"setup": 35, "services": 34, "demo": 33, "web": 32, "worker": 36, "run": 1}
WIDTH = max(map(len, COLOURS))


class Voice:
    """Writes to `stream`; coloured on a terminal unless NO_COLOR is set (no-color.org)."""

    def __init__(self, stream: TextIO = sys.stdout, environ: Mapping[str, str] = os.environ) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and not environ.get("NO_COLOR")

    def say(self, name: str, line: str) -> None:
        prefix = f"{name:<{WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{COLOURS.get(name, 37)}m{prefix}\x1b[0m"
        self.write(f"{prefix} {line}\n")

    def write(self, text: str) -> None:
        """A terminal that has gone is no reason to stop the platform in a hurry."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._stream = open(os.devnull, "w")  # noqa: SIM115


def banner(demo: Mapping[str, Any], url: str) -> str:
    """URLs, logins, a key and a line to try it with; demo data alone."""
    port = url.rsplit(":", 1)[1]
    operator = demo["operator"]
    first = demo["tenants"][0]
    lines = ["", "The platform is ready.", "", f"  {'public pages':<14}{url}"]
    lines.append(f"  {'operator':<14}{url}/admin/  {operator['email']}  {operator['password']}")
    for tenant in demo["tenants"]:
        host = tenant["host"] if ":" in tenant["host"] else f"{tenant['host']}:{port}"
        lines.append(f"  {tenant['name']:<14}http://{host}")
        lines += [f"  {'':<14}{user['role']:<8}{user['email']}  {user['password']}" for user in tenant["users"]]
        lines.append(f"  {'':<14}key     {tenant['api_key']}")
    body = '{"model": "default", "messages": [{"role": "user", "content": "Hello"}]}'
    lines += [
        "",
        f"  curl {url}/v1/chat/completions -H 'Authorization: Bearer {first['api_key']}' \\",
        f"       -H 'Content-Type: application/json' -d '{body}'",
        "",
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines) + "\n"
