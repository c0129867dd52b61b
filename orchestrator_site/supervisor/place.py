"""Where this checkout keeps what, and where its platform listens."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator_site.embedded.notes import Notes, is_free
from orchestrator_site.embedded.privileges import make_folder, state_directory
from orchestrator_site.supervisor.errors import SupervisorError
from orchestrator_site.supervisor.local_secrets import local_secrets

DEFAULT_PORT = 8000
CONFIGURATION = 2


@dataclass(frozen=True, slots=True)
class Place:
    """`state` is `checkout/var`, or elsewhere when the services' user cannot go there."""

    checkout: Path
    state: Path
    host: str
    port: int

    @classmethod
    def of(cls, checkout: Path, environ: Mapping[str, str]) -> "Place":
        """Raises SupervisorError for a PORT that is none."""
        try:
            port = int(environ.get("PORT") or DEFAULT_PORT)
        except ValueError:
            port = 0
        if not 0 < port < 65536:
            raise SupervisorError(f"PORT is {environ['PORT']!r}; it must be a number up to 65535.", CONFIGURATION)
        return cls(checkout, make_folder(state_directory(checkout)), environ.get("HOST") or "127.0.0.1", port)

    @property
    def demo_file(self) -> Path:
        return self.checkout / "var" / "demo.json"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def probe_url(self) -> str:
        """Where we ask it ourselves: resolvers differ about localhost."""
        return f"http://{'127.0.0.1' if self.host in ('0.0.0.0', '::') else self.host}:{self.port}"  # noqa: S104

    def check_port(self) -> None:
        """Raises SupervisorError when somebody else listens there."""
        if not is_free(self.port, self.host):
            raise SupervisorError(
                f"Port {self.port} is taken by another program. Choose another: make run PORT={self.port + 1}",
                CONFIGURATION,
            )

    def environment(self, environ: Mapping[str, str], addresses: Mapping[str, str]) -> dict[str, str]:
        """What every process gets: the caller's own settings first, then what a local installation needs."""
        notes = Notes(self.state / "supervisor.json")
        if not is_free(notes.port("demo")):
            notes.choose_port("demo")
        local = {
            "ORCHESTRATOR_ENV": "local",
            "LOG_FORMAT": "console",
            "GRACEFUL_SHUTDOWN_SECONDS": "10",
            "DEMO_PROVIDER_URL": f"http://127.0.0.1:{notes.port('demo')}/v1",
            **local_secrets(self.state / "secrets.env", environ),
            **addresses,
        }
        given = {name: value for name, value in environ.items() if value and name != "DJANGO_SETTINGS_MODULE"}
        always = {"PORT": str(self.port), "DEMO_PROVIDER_PORT": str(notes.port("demo")), "PYTHONUNBUFFERED": "1"}
        return {**local, **given, **always}


CHECKOUT = Path(os.path.abspath(__file__)).parents[2]
