"""One run of the platform, from nothing to a clean stop."""

import asyncio
import signal
from collections.abc import Mapping

from orchestrator_site.supervisor.child import outcome
from orchestrator_site.supervisor.errors import SupervisorError
from orchestrator_site.supervisor.fleet import Fleet, end_leftovers
from orchestrator_site.supervisor.own_services import OwnServices
from orchestrator_site.supervisor.place import Place
from orchestrator_site.supervisor.plan import commands
from orchestrator_site.supervisor.preparation import prepare
from orchestrator_site.supervisor.readiness import until_ready
from orchestrator_site.supervisor.single import Single
from orchestrator_site.supervisor.voice import Voice, banner


async def run(place: Place, environ: Mapping[str, str], voice: Voice) -> None:
    """Returns after SIGINT, SIGTERM or SIGHUP; a second one hurries. Raises SupervisorError."""
    single = Single(place.state / "supervisor.lock")
    single.take(place.url)
    session = asyncio.create_task(Session(place, environ, voice, single).run())
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, session.cancel)
    await asyncio.wait([session])
    if not session.cancelled():
        session.result()


class Session:
    """Cancelled, it stops what it has started by then."""

    def __init__(self, place: Place, environ: Mapping[str, str], voice: Voice, single: Single) -> None:
        self.place = place
        self.environ = environ
        self.voice = voice
        self.single = single
        self.record = place.state / "children.json"

    async def run(self) -> None:
        if end_leftovers(self.record):
            self.voice.say("run", "ended what an earlier run had left behind")
        self.place.check_port()
        services = OwnServices(self.place.state, self.environ)
        try:
            await self._run_with(services)
        finally:
            self.single.leaving()
            await services.stop()
            self.voice.say("run", "stopped")

    async def _run_with(self, services: OwnServices) -> None:
        self.voice.say("run", "starting")
        environment = self.place.environment(self.environ, await services.start())
        await prepare(self.place, environment, self.voice.say, trust_stamp=services.owns_database)
        fleet = Fleet(commands(self.place, environment), say=self.voice.say, record=self.record)
        try:
            await fleet.start()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(give_up_with(fleet))
                tasks.create_task(services.watch(self.voice.say))
                tasks.create_task(self._announce())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self.single.leaving()
            self.voice.say("run", "stopping")
            await fleet.stop()

    async def _announce(self) -> None:
        self.voice.write(banner(await until_ready(self.place), self.place.url))


async def give_up_with(fleet: Fleet) -> None:
    """Waits for a child that says it cannot run at all, and raises SupervisorError."""
    code = await fleet.until(asyncio.Event())
    raise SupervisorError(f"A process cannot run ({outcome(code)}); its lines are above.")
