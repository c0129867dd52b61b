"""Migrations and demo data, done when something they depend on has changed since they were last done."""

import asyncio
import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from orchestrator_site.supervisor.child import Say
from orchestrator_site.supervisor.errors import SupervisorError
from orchestrator_site.supervisor.lifeline import tie_to_parent
from orchestrator_site.supervisor.place import Place
from orchestrator_site.whole_files import write_whole

PACKAGES = ("orchestrator_site", "console", "chat", "gateway", "billing", "providers", "tenants", "common")
SOURCES = {".py", ".sql", ".json"}
# What the seeds read from the environment.
VARIABLES = (
    *("DATABASE_URL", "PORT", "BASE_DOMAIN", "DEFAULT_MODEL", "MODEL_CONFIGS", "API_KEY_PEPPER", "ENCRYPTION_KEY"),
    *("DEMO_PROVIDER_URL", "DEMO_PROVIDER_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"),
    *("MISTRAL_API_KEY", "OLLAMA_HOST"),
)


async def prepare(place: Place, environment: Mapping[str, str], say: Say, *, trust_stamp: bool) -> None:
    """Raises SupervisorError. `trust_stamp` only where the database is ours: another's may have been emptied."""
    stamp = place.state / "prepared"
    current = fingerprint(place, environment)
    if trust_stamp and place.demo_file.exists() and stamp.exists() and stamp.read_text() == current:
        return
    place.demo_file.parent.mkdir(exist_ok=True)
    for arguments in (
        ("migrate_all",),
        ("seed_platform_providers",),
        ("seed_demo", "--output", str(place.demo_file)),
    ):
        await manage(arguments, place, environment, say)
    write_whole(stamp, current, mode=0o644)


async def manage(arguments: tuple[str, ...], place: Place, environment: Mapping[str, str], say: Say) -> None:
    """One management command, its lines passed on. Raises SupervisorError when it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", *arguments),
        cwd=place.checkout,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=tie_to_parent(),
    )
    try:
        if process.stdout is not None:
            async for line in process.stdout:
                say("setup", line.decode(errors="replace").rstrip())
        code = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    if code != 0:
        raise SupervisorError(f"`manage.py {arguments[0]}` failed; its lines are above.")


def fingerprint(place: Place, environment: Mapping[str, str]) -> str:
    """Changes with the code, with the packages installed and with what the seeds read from the environment."""
    digest = hashlib.sha256()
    for path in (place.checkout / "requirements.txt", *sources(place.checkout), *model_configs(environment)):
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    for name in VARIABLES:
        digest.update(f"{name}={environment.get(name, '')}\0".encode())
    return digest.hexdigest()


def sources(checkout: Path) -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((checkout / package).rglob("*")):
            if path.suffix in SOURCES and "tests" not in path.parts:
                yield path


def model_configs(environment: Mapping[str, str]) -> Iterator[Path]:
    named = environment.get("MODEL_CONFIGS")
    if named and Path(named).is_file():
        yield Path(named)
