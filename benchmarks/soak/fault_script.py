"""What the soak of faults will ask for, decided in full by its seed before anything starts. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.asking import Dialect, Question

FAULTY_SHARE = 0.4
TOTAL_SECONDS = 8.0
"""A caller's deadline, given with each question."""
LONG_SECONDS = 60.0
"""Longer than any deadline: only a deadline ends it."""
POLICIES = ("continue", "restart", "buffer", "error", "hedged")
DIALECTS: Sequence[Dialect] = ("chat", "chat", "messages", "responses")
FAULTS: Sequence[Mapping[str, Any]] = (
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 503, "retry": "1"},
    {"fault": "status", "status": 429, "retry": "0"},
    {"fault": "status", "status": 429},
    {"fault": "status", "status": 401},
    {"fault": "reset"},
    {"fault": "silent", "seconds": LONG_SECONDS},
    {"fault": "delay", "seconds": 0.3},
    {"fault": "slow", "seconds": LONG_SECONDS},
    {"fault": "slow", "seconds": 0.3},
    {"fault": "cut"},
    {"fault": "cut"},
    {"fault": "stall", "seconds": LONG_SECONDS},
    {"fault": "stall", "seconds": 0.3},
    {"fault": "drip", "size": 20, "pace": 100},
    {"fault": "drip", "size": 200, "pace": 5},
    {"fault": "malformed"},
    {"fault": "truncated"},
    {"fault": "no_done"},
    {"fault": "no_finish"},
    {"fault": "garbage", "size": 400},
    {"fault": "error_event"},
    {"fault": "context_length"},
    {"fault": "content_filter"},
)


@dataclass(frozen=True, slots=True)
class Scripted:
    """`text` is the whole answer."""

    question: Question
    text: str


def write_fault_script(*, faults: int, seed: int) -> list[Scripted]:
    """So many questions that about `faults` of them, at least, meet a fault; half are streamed."""
    chance = random.Random(seed)
    return [write_one(chance) for _ in range(round(faults / FAULTY_SHARE) + 1)]


def write_one(chance: random.Random) -> Scripted:
    chunks = chance.randint(3, 30)
    plan: dict[str, Any] = {"chunks": chunks, "pace": chance.choice([0, 1, 5]), "input": chance.randint(1, 3000)}
    if chance.random() < FAULTY_SHARE:
        # Up to three targets there are: with 1 the next one answers, with 3 none does.
        plan |= {
            "after": chance.randint(0, chunks),
            **chance.choice(FAULTS),
            "attempts": chance.choice([1, 1, 1, 2, 3]),
        }
    question = Question(
        model=chance.choice(POLICIES),
        plan=plan,
        stream=chance.random() < 0.6,
        dialect=chance.choice(DIALECTS),
        headers={"x-orchestrator-deadlines": f"total={TOTAL_SECONDS:g}"},
    )
    return Scripted(question, "".join(f"word{index} " for index in range(chunks)))
