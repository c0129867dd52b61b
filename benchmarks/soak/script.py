"""What the ledger soak will do, decided in full by its seed before anything starts. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Abort = Literal["never", "before_answer", "midway"]
KillKind = Literal["web", "postgres", "valkey", "flush"]
ABORTED_SHARE = 0.10
FAULTY_SHARE = 0.08
FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 429, "retry": "0"},
    {"fault": "reset"},
    {"fault": "cut", "after": 2},
    {"fault": "truncated", "after": 2},
    {"fault": "garbage", "size": 400},
    {"fault": "malformed", "after": 2},
    {"fault": "error_event", "after": 2},
    {"fault": "no_done"},
    {"fault": "no_finish"},
    {"fault": "content_filter"},
)
KILL_CYCLE: tuple[KillKind, ...] = ("web", "postgres", "web", "valkey")


@dataclass(frozen=True, slots=True)
class Call:
    """One completion: the mock's instructions, and when the client hangs up (`abort_after` chunks when midway)."""

    number: int
    stream: bool
    include_usage: bool
    instructions: dict[str, Any]
    abort: Abort
    abort_after: int
    abort_seconds: float


@dataclass(frozen=True, slots=True)
class Kill:
    """Struck when call number `at` has been started; what was killed comes back after `down_seconds`."""

    at: int
    kind: KillKind
    down_seconds: float


@dataclass(frozen=True, slots=True)
class Script:
    seed: int
    calls: Sequence[Call]
    kills: Sequence[Kill]


def write_script(*, requests: int, kills: int, seed: int) -> Script:
    """Half streamed, a tenth aborted, some answered with faults; `kills` SIGKILLs and one flush spread over the run."""
    chance = random.Random(seed)
    aborted = set(chance.sample(range(requests), round(requests * ABORTED_SHARE)))
    calls = [write_call(number, chance, aborted=number in aborted) for number in range(requests)]
    return Script(seed, calls, write_kills(chance, requests=requests, kills=kills))


def write_call(number: int, chance: random.Random, *, aborted: bool) -> Call:
    stream = number % 2 == 0
    chunks = chance.randint(3, 30)
    input_tokens = chance.randint(1, 3000)
    instructions: dict[str, Any] = {
        "chunks": chunks,
        "pace": chance.choice([0, 1, 2, 5]),
        "input": input_tokens,
        "output": chance.randint(1, 900),
        "cached": chance.choice([0, 0, chance.randint(0, input_tokens)]),
    }
    if aborted:
        # The client can only hang up on an answer that takes its time.
        instructions |= {"pace": 10, "chunks": chance.randint(15, 30)}
        instructions |= {} if stream else {"fault": "delay", "seconds": 0.5}
    elif chance.random() < FAULTY_SHARE:
        instructions |= chance.choice(FAULTS)
    else:
        instructions |= {} if stream else {"fault": "delay", "seconds": chance.choice([0, 0.01, 0.05])}
    return Call(
        number=number,
        stream=stream,
        include_usage=chance.random() < 0.5,
        instructions=instructions,
        abort="never" if not aborted else ("midway" if stream and chance.random() < 0.8 else "before_answer"),
        abort_after=chance.randint(1, 10),
        abort_seconds=chance.uniform(0.005, 0.12),
    )


def write_kills(chance: random.Random, *, requests: int, kills: int) -> list[Kill]:
    kinds: list[KillKind] = [KILL_CYCLE[index % len(KILL_CYCLE)] for index in range(kills)]
    if kinds:
        kinds.insert(chance.randint(1, len(kinds)), "flush")
    step = requests / (len(kinds) + 1)
    return [
        Kill(
            at=int(step * (index + 1) + chance.uniform(-0.2, 0.2) * step),
            kind=kind,
            down_seconds=chance.uniform(0.0, 1.0),
        )
        for index, kind in enumerate(kinds)
    ]
