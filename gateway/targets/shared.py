"""What the processes of an installation tell each other of targets, through Redis. Each works without.

    platform:targets:circuits     `providers.circuits`: written when one opens or closes
    platform:targets:vitals       a hash: process → msgpack of Report, written every turn; a process that has written
                                  nothing new for 3 s is not believed, and taken out after 10 s
    platform:targets:probe:<key>  who holds the probe of a target's half-open circuit; gone with its owner's lease

A process is told apart from a dead one by whether its report changes, so that clocks need not agree for that. Times of
circuits are Unix times: hosts whose clocks differ probe that much earlier or later.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from common.errors import OrchestratorError
from common.redis import Command, RedisConnection
from gateway.targets.vitals import SECONDS_BELIEVED, Told, together
from providers import circuits
from providers.circuits import Trouble

VITALS: Final = "platform:targets:vitals"
PROBE: Final = "platform:targets:probe:"
LEASE_SECONDS: Final = 5.0
# A request does not wait longer to be told whether it is the probe.
SECONDS_TO_CLAIM: Final = 0.1
SECONDS_TO_TAKE_OUT: Final = 10.0
VITALS_KEPT_MS: Final = 60_000
# Beyond these a circuit is its process's own affair; no tenant takes the others' room.
MOST_SHARED: Final = 2_000
MOST_OF_A_TENANT: Final = 200

IF_MINE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return "
RELEASE: Final = IF_MINE + "redis.call('DEL', KEYS[1]) end"
TAKE_OUT: Final = """
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
"""
RENEW: Final = IF_MINE + "redis.call('PEXPIRE', KEYS[1], ARGV[2]) end"


class Report(msgspec.Struct, frozen=True, array_like=True):
    """`turn` grows with every report of a process."""

    turn: int
    told: dict[str, Told]


class News(msgspec.Struct, frozen=True):
    """`circuits` are those of the whole installation, but for `untrusted`: of these this process knows better.
    `told` is what the other processes tell together, `processes` how many they are."""

    circuits: Mapping[str, Trouble]
    untrusted: frozenset[str]
    told: Mapping[str, Told]
    processes: int


class Claim(msgspec.Struct, frozen=True):
    """`answered` is false where Redis was not reached. `trouble` is the circuit as Redis has it, None where it does not
    or where this process knows better (`untrusted`)."""

    mine: bool
    answered: bool = True
    trouble: Trouble | None = None
    untrusted: bool = False


class Shared:
    """`lost` counts what could not be told at once; circuits are told again at the next exchange."""

    def __init__(
        self,
        redis: RedisConnection | None,
        process: str,
        monotonic: Callable[[], float],
        *,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._redis = redis
        self._process = process
        self._monotonic = monotonic
        self._lease_ms = round(lease * 1000)
        # What Redis is not known to have.
        self._unconfirmed: dict[str, Trouble | None] = {}
        self._told_since: set[str] = set()
        self._claims: dict[str, str] = {}
        self._claimed = 0
        self._reports: dict[str, tuple[int, float]] = {}
        # By owner: how many circuits Redis has.
        self._known = Counter[str]()
        self._turn = 0
        self._sending: set[asyncio.Task[None]] = set()
        self.lost = 0

    def tell(self, key: str, trouble: Trouble | None) -> None:
        """A circuit has changed; None is one without trouble. Not waited for."""
        if self._redis is None:
            return
        self._unconfirmed[key] = trouble
        self._told_since.add(key)
        if command := self._circuit_command(key, trouble):
            self._send([command], {key: trouble})

    def _circuit_command(self, key: str, trouble: Trouble | None) -> Command | None:
        if trouble is None:
            return ("HDEL", circuits.KEY, key)
        owner, _ = circuits.owner_and_provider(key)
        if self._known.total() >= MOST_SHARED or (
            owner != circuits.PLATFORM and self._known[owner] >= MOST_OF_A_TENANT
        ):
            return None
        return ("HSET", circuits.KEY, key, msgspec.json.encode(trouble))

    def _send(self, commands: Sequence[Command], told: Mapping[str, Trouble | None]) -> None:
        task = asyncio.get_running_loop().create_task(self._sent(commands, told))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _sent(self, commands: Sequence[Command], told: Mapping[str, Trouble | None]) -> None:
        assert self._redis is not None  # noqa: S101 nothing is sent without
        try:
            await self._redis.pipeline(commands)
        except OrchestratorError:
            self.lost += 1
        else:
            self._confirm(told)

    def _confirm(self, told: Mapping[str, Trouble | None]) -> None:
        for key, trouble in told.items():
            if self._unconfirmed.get(key, self) is trouble:
                del self._unconfirmed[key]

    async def claim(self, key: str) -> Claim:
        """Whether the probe is this process's, in one round trip. Where Redis is away it is."""
        if self._redis is None:
            return Claim(mine=True, answered=False)
        if self._sending:
            # What was told before is to arrive before, an earlier claim's release above all.
            await asyncio.sleep(0)
        self._claimed += 1
        owner = self._claims[key] = f"{self._process}:{self._claimed}"
        commands: list[Command] = [
            ("SET", PROBE + key, owner, "NX", "PX", self._lease_ms),
            ("HGET", circuits.KEY, key),
        ]
        try:
            async with asyncio.timeout(SECONDS_TO_CLAIM):
                taken, kept = await self._redis.pipeline(commands)
        except (OrchestratorError, TimeoutError):
            self.lost += 1
            return Claim(mine=True, answered=False)
        if taken is None:
            self._claims.pop(key, None)
        known = circuits.decode([(key.encode(), kept)]) if kept else {}
        return Claim(mine=taken is not None, trouble=known.get(key), untrusted=key in self._unconfirmed)

    def release(self, key: str) -> None:
        """Another request may probe. Not waited for."""
        owner = self._claims.pop(key, None)
        if owner is not None and self._redis is not None:
            self._send([("EVAL", RELEASE, 1, PROBE + key, owner)], {})

    async def exchange(self, mine: Mapping[str, Told]) -> News | None:
        """Tells and is told, in one round trip; None where Redis was not reached."""
        if self._redis is None:
            return None
        self._told_since = set(self._unconfirmed)
        late = dict(self._unconfirmed)
        self._turn += 1
        report = msgspec.msgpack.encode(Report(self._turn, dict(mine)))
        again = {key: command for key, trouble in late.items() if (command := self._circuit_command(key, trouble))}
        commands: list[Command] = [
            ("HGETALL", VITALS),
            ("HGETALL", circuits.KEY),
            ("HSET", VITALS, self._process, report),
            ("PEXPIRE", VITALS, VITALS_KEPT_MS),
            *(("EVAL", RENEW, 1, PROBE + key, owner, self._lease_ms) for key, owner in self._claims.items()),
            *again.values(),
        ]
        try:
            reports, kept, *_ = await self._redis.pipeline(commands)
        except OrchestratorError:
            self.lost += 1
            return None
        self._confirm({key: late[key] for key in again})
        known = circuits.decode(pairs(kept))
        self._known = Counter(owner for owner, _ in map(circuits.owner_and_provider, known))
        told, processes = self._believed(pairs(reports))
        return News(known, frozenset(self._told_since), told, processes)

    def _believed(self, reports: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, Told], int]:
        """Together, by target; and how many other processes there are."""
        now, told, processes = self._monotonic(), dict[str, Told](), 0
        before, self._reports = self._reports, {}
        for name, encoded in reports:
            process, report = name.decode(), read_report(encoded)
            if process == self._process or report is None:
                continue
            turn, since = before.get(process, (None, now))
            since = since if turn == report.turn else now
            self._reports[process] = (report.turn, since)
            if now - since > SECONDS_TO_TAKE_OUT:
                self._send([("HDEL", VITALS, process)], {})
            elif now - since <= SECONDS_BELIEVED:
                processes += 1
                for key, each in report.told.items():
                    told[key] = together(told[key], each) if key in told else each
        return told, processes

    def take_out(self, past: Mapping[str, Trouble]) -> None:
        """Circuits that are past, unless they have changed meanwhile. Not waited for."""
        if past and self._redis is not None:
            told = [each for key, trouble in past.items() for each in (key, msgspec.json.encode(trouble))]
            self._send([("EVAL", TAKE_OUT, 1, circuits.KEY, *told)], {})

    async def leave(self) -> None:
        """Gives back what this process holds, so that nobody waits for it."""
        for key in list(self._claims):
            self.release(key)
        if self._redis is not None:
            self._send([("HDEL", VITALS, self._process)], {})
        await asyncio.gather(*self._sending)


def pairs(reply: list[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """The reply to HGETALL: names and values in turn."""
    return zip(reply[::2], reply[1::2], strict=True)


def read_report(encoded: bytes) -> Report | None:
    """None for one of another version."""
    try:
        return msgspec.msgpack.decode(encoded, type=Report)
    except msgspec.DecodeError:
        return None
