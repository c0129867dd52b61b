"""The embedded services as far as the environment names none of its own: started, watched, stopped."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from orchestrator_site.embedded.errors import EmbeddedServiceError
from orchestrator_site.embedded.postgres import Postgres
from orchestrator_site.embedded.services import EmbeddedServices
from orchestrator_site.embedded.valkey import Valkey
from orchestrator_site.supervisor.child import Say
from orchestrator_site.supervisor.errors import SupervisorError

WATCH_SECONDS = 1.0


class OwnServices:
    """PostgreSQL unless DATABASE_URL is set, Valkey unless REDIS_URL is. Raises SupervisorError for their errors."""

    def __init__(self, state: Path, environ: Mapping[str, str]) -> None:
        wanted = {"DATABASE_URL": not environ.get("DATABASE_URL"), "REDIS_URL": not environ.get("REDIS_URL")}
        self._parts: dict[str, Postgres | Valkey] = {}
        try:
            self._services = EmbeddedServices(state) if any(wanted.values()) else None
        except EmbeddedServiceError as error:
            raise SupervisorError(str(error)) from error
        if self._services is not None:
            if wanted["DATABASE_URL"]:
                self._parts["DATABASE_URL"] = self._services.postgres
            if wanted["REDIS_URL"]:
                self._parts["REDIS_URL"] = self._services.valkey

    @property
    def owns_database(self) -> bool:
        return "DATABASE_URL" in self._parts

    async def start(self) -> dict[str, str]:
        """The variables that say where they answer."""
        return await asyncio.to_thread(self._start, list(self._parts.values()))

    async def stop(self) -> None:
        await asyncio.to_thread(self._stop)

    async def watch(self, say: Say) -> None:
        """Starts again what ends unasked, for ever; raises when it cannot be had at its old address."""
        addresses = self._addresses()
        while self._parts:
            await asyncio.sleep(WATCH_SECONDS)
            gone = await asyncio.to_thread(lambda: [part for part in self._parts.values() if part.pid() is None])
            for part in gone:
                say("services", f"{type(part).__name__} is gone; starting it again")
            if gone and await asyncio.to_thread(self._start, gone) != addresses:
                raise SupervisorError("Another program took the port of an embedded service. Start again.")

    def _start(self, parts: list[Postgres | Valkey]) -> dict[str, str]:
        if self._services is not None:
            try:
                with self._services.alone():
                    for part in parts:
                        part.start()
            except EmbeddedServiceError as error:
                raise SupervisorError(str(error)) from error
        return self._addresses()

    def _stop(self) -> None:
        if self._services is not None:
            with self._services.alone():
                for part in self._parts.values():
                    part.stop()

    def _addresses(self) -> dict[str, str]:
        return {
            name: part.database_url if isinstance(part, Postgres) else part.redis_url
            for name, part in self._parts.items()
        }
