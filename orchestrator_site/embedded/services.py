"""Both embedded services of one state directory, started and stopped as one."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from orchestrator_site.embedded.notes import Notes
from orchestrator_site.embedded.postgres import Postgres
from orchestrator_site.embedded.privileges import make_folder, reachable_binaries, service_user
from orchestrator_site.embedded.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services answer; both hold a password, so neither is shown."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)


class EmbeddedServices:
    """PostgreSQL and Valkey with all their files under `state`.

    Starting what already runs reuses it; starting after a SIGKILL of either recovers it. Several processes may
    start and stop the same state at once: a lock lets one act at a time.
    """

    def __init__(self, state: Path, *, durable: bool = True) -> None:
        self.state = state.resolve()
        notes = Notes(self.state / "services.json")
        user = service_user(self.state / "postgres")
        binaries = reachable_binaries(user, self.state)
        self.postgres = Postgres(self.state / "postgres", binaries.postgres, user, notes, durable=durable)
        self.valkey = Valkey(self.state / "valkey", binaries.valkey, user, notes, durable=durable)

    def start(self) -> Addresses:
        """Raises EmbeddedServiceError when one cannot be had; what was started by then keeps running."""
        with self.alone():
            self.valkey.start()
            self.postgres.start()
        return self.addresses()

    def stop(self) -> None:
        with self.alone():
            self.postgres.stop()
            self.valkey.stop()

    def addresses(self) -> Addresses:
        return Addresses(self.postgres.database_url, self.valkey.redis_url)

    def __enter__(self) -> Addresses:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Around whatever starts or stops one of the two by itself."""
        make_folder(self.state)
        with (self.state / "services.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
