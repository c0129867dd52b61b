"""The secrets of a local installation: made up once, kept in a file that only its owner reads."""

import base64
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator_site.whole_files import write_whole

MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "API_KEY_PEPPER": lambda: secrets.token_urlsafe(48),
    "ENCRYPTION_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "METRICS_TOKEN": lambda: secrets.token_urlsafe(32),
    "DEMO_PROVIDER_KEY": lambda: secrets.token_urlsafe(32),
}


def local_secrets(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Every secret: from the environment where it is set there, else from the file, to which a new one is added."""
    kept = read(path)
    missing = {name: make() for name, make in MAKERS.items() if name not in kept}
    if missing:
        kept |= missing
        write_whole(path, "".join(f"{name}={value}\n" for name, value in kept.items()), mode=0o600)
    return {name: environ.get(name) or kept[name] for name in MAKERS}


def read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
