"""The board of all targets that this process has to do with. For its interface see the package."""

import random
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Literal

import msgspec

from common.clock import Clock
from common.redis import RedisConnection
from gateway.targets.circuit import Circuit, State
from gateway.targets.flight import Flight
from gateway.targets.shared import LEASE_SECONDS, News, Shared
from gateway.targets.translated import adopt, told_of
from gateway.targets.vitals import NOTHING_TOLD, Told, Vitals
from providers.circuits import Trouble, owner_and_provider

MOST_TARGETS: Final = 5_000
MOST_TOLD: Final = 500
# A target that had no call for so long is not told of.
SECONDS_ACTIVE: Final = 30.0
LOOKED_THROUGH: Final = 50
SECONDS_AFTER_A_LOST_CLAIM: Final = 0.5

May = Literal["yes", "probe", "forced", "open", "resting"]


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request may go to a target: "yes"; "probe" if it gets the claim; "forced" since all are out. `seconds`
    is how long it will be "open" or "resting", or would have been without being forced; `cause` why."""

    may: May
    seconds: float = 0.0
    cause: str = ""

    @property
    def admits(self) -> bool:
        return self.may in ("yes", "probe", "forced")


YES: Final = Verdict("yes")


class Standing:
    """What is known of one target."""

    __slots__ = ("circuit", "key", "vitals")

    def __init__(self, key: str, monotonic: Callable[[], float]) -> None:
        self.key = key
        self.vitals = Vitals(monotonic)
        self.circuit = Circuit()


class Shown(msgspec.Struct, frozen=True):
    """One target as people see it. Seconds; `opened_at` is None for a closed circuit, `resting` 0 for who rests not."""

    key: str
    circuit: State
    cause: str
    opened_at: datetime | None
    failures: int
    out: float
    resting: float
    in_flight: int
    ewma: float
    p95: float | None
    samples: int


class Board:
    """Works within one event loop; without `redis` nothing is told to other processes."""

    def __init__(
        self,
        clock: Clock,
        redis: RedisConnection | None = None,
        *,
        process: str,
        draw: Callable[[], float] = random.random,
        most: int = MOST_TARGETS,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._clock = clock
        self.monotonic = clock.monotonic
        self.draw = draw
        self._most = most
        self._standings: OrderedDict[str, Standing] = OrderedDict()
        self._troubled: set[str] = set()
        self._circuits: Mapping[str, Trouble] = {}
        self._told: Mapping[str, Told] = {}
        self._shared = Shared(redis, process, clock.monotonic, lease=lease)
        self.live_processes = 1

    @property
    def lost_writes(self) -> int:
        """How often Redis did not take what it was told, or did not answer."""
        return self._shared.lost

    def vitals(self, key: str) -> Vitals:
        return self._standing(key).vitals

    def circuit(self, key: str) -> Circuit:
        return self._standing(key).circuit

    def began(self, key: str, *, probe: bool = False) -> Flight:
        """A call is about to leave; `probe` after `claim_probe` said yes to a verdict of "probe"."""
        standing = self._standing(key)
        self._standings.move_to_end(key)
        now = self.monotonic()
        flight = Flight(self, standing, now, probe)
        if probe and standing.circuit.state == "half_open":
            standing.circuit.probe = flight
        standing.vitals.began(flight, now)
        return flight

    def admissible(self, keys: Sequence[str]) -> list[Verdict]:
        """For each key. Of targets that are all out the half that comes back soonest, at least one, is "forced"."""
        if self._troubled.isdisjoint(keys) and self._circuits.keys().isdisjoint(keys):
            return [YES] * len(keys)
        now = self.monotonic()
        verdicts = [verdict(self._standing(key).circuit, now) for key in keys]
        if not any(each.admits for each in verdicts):
            soonest = sorted(range(len(keys)), key=lambda place: verdicts[place].seconds)
            for place in soonest[: (len(keys) + 1) // 2]:
                verdicts[place] = msgspec.structs.replace(verdicts[place], may="forced")
        return verdicts

    async def claim_probe(self, key: str) -> bool:
        """Whether this request is the one that may go; asks Redis, for 0.1 s at most, where the circuit is half open.
        A claim is followed by `began(key, probe=True)` or by `release_probe(key)`."""
        standing = self._standing(key)
        circuit, now = standing.circuit, self.monotonic()
        if circuit.state == "closed":
            return True
        if circuit.out_until(now) > now:
            return False
        circuit.claim(now)
        try:
            claim = await self._shared.claim(key)
        except BaseException:
            self.release_probe(key)
            raise
        if not claim.mine:
            circuit.unclaim(until=self.monotonic() + SECONDS_AFTER_A_LOST_CLAIM)
            return False
        if claim.answered and not claim.untrusted:
            return self._still_to_probe(standing, claim.trouble)
        return True

    def _still_to_probe(self, standing: Standing, trouble: Trouble | None) -> bool:
        """Another process may have probed since we were told last."""
        circuit, now = standing.circuit, self.monotonic()
        self._adopt(standing, trouble)
        if circuit.state == "half_open":
            return True
        if circuit.state == "open" and circuit.until <= now:
            circuit.claim(now)
            return True
        self._shared.release(standing.key)
        return circuit.untroubled(now)

    def release_probe(self, key: str) -> None:
        """The claim is free for another request at once."""
        self._standing(key).circuit.unclaim()
        self.release_claim(key)

    def release_claim(self, key: str) -> None:
        """Other processes may claim the probe, whatever this one has learnt of the circuit meanwhile."""
        self._shared.release(key)

    def changed(self, standing: Standing, *, probed: bool) -> None:
        """Flights say so. The circuit is told before its probe is free, so that who gets that knows how it ended."""
        self._note(standing)
        self._shared.tell(standing.key, told_of(standing.circuit, self._clock))
        if probed:
            self._shared.release(standing.key)

    async def share(self) -> None:
        """To be done every half second. Never raises for Redis' sake."""
        self._free_forgotten_probes()
        news = await self._shared.exchange(self._report())
        if news is not None:
            self.live_processes = news.processes + 1
            self._learn(news)
        for key in list(self._troubled):
            self._note(self._standing(key))

    async def leave(self) -> None:
        """At the end of the process: what it holds is free for others at once."""
        await self._shared.leave()

    def snapshot(self) -> list[Shown]:
        """All targets this process has had to do with, the latest last."""
        return [self._shown(standing) for standing in self._standings.values()]

    def troubles(self) -> Counter[tuple[str, str, str]]:
        """How many targets are not simply closed, by owner ("platform" or "t:…"), provider and "open", "half_open" or
        "resting"."""
        now, found = self.monotonic(), Counter[tuple[str, str, str]]()
        for key in self._troubled:
            circuit = self._standings[key].circuit
            if not circuit.untroubled(now):
                state = circuit.shown(now)
                found[(*owner_and_provider(key), "resting" if state == "closed" else state)] += 1
        return found

    def _shown(self, standing: Standing) -> Shown:
        now, circuit, vitals = self.monotonic(), standing.circuit, standing.vitals
        is_closed = circuit.state == "closed"
        return Shown(
            key=standing.key,
            circuit=circuit.shown(now),
            cause=circuit.cause,
            opened_at=None if is_closed else unix_time(self._clock, circuit.opened_at),
            failures=circuit.failures,
            out=max(0.0, circuit.out_until(now) - now),
            resting=max(0.0, circuit.rests_until - now),
            in_flight=vitals.in_flight,
            ewma=vitals.ewma,
            p95=vitals.p95,
            samples=vitals.samples,
        )

    def _standing(self, key: str) -> Standing:
        found = self._standings.get(key)
        if found is None:
            found = self._standings[key] = Standing(key, self.monotonic)
            if told := self._told.get(key):
                found.vitals.believe(told)
            if trouble := self._circuits.get(key):
                self._adopt(found, trouble)
            if len(self._standings) > self._most:
                self._make_room()
        return found

    def _make_room(self) -> None:
        """The one that was used longest ago goes; rather one where nothing is under way and nothing is wrong."""
        oldest = list(islice(self._standings.values(), min(LOOKED_THROUGH, len(self._standings) - 1)))
        idle = (each for each in oldest if not each.vitals.own_in_flight and each.key not in self._troubled)
        gone = next(idle, oldest[0])
        del self._standings[gone.key]
        self._troubled.discard(gone.key)

    def _note(self, standing: Standing) -> None:
        if standing.circuit.untroubled(self.monotonic()):
            self._troubled.discard(standing.key)
        elif standing.key in self._standings:
            self._troubled.add(standing.key)

    def _adopt(self, standing: Standing, trouble: Trouble | None) -> None:
        adopt(standing.circuit, trouble, self._clock)
        self._note(standing)

    def _free_forgotten_probes(self) -> None:
        now = self.monotonic()
        for key in self._troubled:
            circuit = self._standings[key].circuit
            if circuit.state == "half_open" and circuit.probe is None and circuit.probing_until <= now:
                self.release_probe(key)

    def _report(self) -> dict[str, Told]:
        return {each.key: each.vitals.told() for each in islice(self._active(), MOST_TOLD)}

    def _active(self) -> Iterator[Standing]:
        """The latest first."""
        since = self.monotonic() - SECONDS_ACTIVE
        for standing in reversed(self._standings.values()):
            if standing.vitals.used_at >= since or standing.vitals.own_in_flight:
                yield standing

    def _learn(self, news: News) -> None:
        now = self._clock.now().timestamp()
        self._shared.take_out({key: trouble for key, trouble in news.circuits.items() if trouble.is_past(now)})
        self._circuits = {key: trouble for key, trouble in news.circuits.items() if not trouble.is_past(now)}
        for key in {*self._troubled, *self._circuits} - news.untrusted:
            if standing := self._standings.get(key):
                self._adopt(standing, self._circuits.get(key))
        for key in {*self._told, *news.told}:
            if standing := self._standings.get(key):
                standing.vitals.believe(news.told.get(key, NOTHING_TOLD))
        self._told = news.told


def verdict(circuit: Circuit, now: float) -> Verdict:
    seconds = circuit.out_until(now) - now
    if seconds <= 0:
        return YES if circuit.state == "closed" else Verdict("probe", cause=circuit.cause)
    if circuit.state == "closed":
        return Verdict("resting", seconds, "rate_limited")
    return Verdict("open", seconds, circuit.cause)


def unix_time(clock: Clock, moment: float) -> datetime:
    return datetime.fromtimestamp(clock.now().timestamp() + moment - clock.monotonic(), UTC)
