"""What a month will have cost when it ends. Pure: daily sums in, three figures out.

The last eight weeks are cut into blocks of seven days that end yesterday. Each block has a total and a profile: what
share of it fell on which weekday. The level now is an average of the blocks that fades as well as would have told each
from those before it. A possible rest of the month takes, week by week, the profile of a block drawn at random at that
level, missed by as much as it missed a block before. Of a thousand such months the middle one is the forecast, and
nine in ten lie in the interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

WEEK: Final = 7
WEEKS: Final = 8
HISTORY_DAYS: Final = WEEK * WEEKS
MONTHS: Final = 1_000
TAIL: Final = 0.05
COVERAGE: Final = 1 - 2 * TAIL

# How much of the level a new block may make: little where spending is noise around a constant, all where it wanders.
WEIGHTS: Final = (0.2, 0.4, 0.7, 1.0)
# A miss is noise of the block that was missed as well as of the level, so it overstates how the level moves on.
DAMPING: Final = math.sqrt(0.5)
# How far a level may be off that too little is known of: by a third, up or down.
UNKNOWN_MISS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Forecast:
    """Nano-USD at the end of the month. `low` to `high` is expected to hold the truth nine times in ten.

    `days_known` says how much history it rests on.
    """

    expected_nano: int
    low_nano: int
    high_nano: int
    days_known: int


@dataclass(frozen=True, slots=True)
class Block:
    """Seven days: their sum, and the part of it on each weekday (0 is Monday)."""

    total: int
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """What a week comes to now, and by how much, as logarithms, such a level missed the week that followed."""

    total: float
    misses: tuple[float, ...]


def forecast(
    daily: Sequence[int], *, spent_nano: int, today: date, today_nano: int, month_end: date, seed: int = 0
) -> Forecast | None:
    """`daily` are the sums of the days up to yesterday, oldest first, from the first day that anything was spent;
    `spent_nano` is the month's so far, today's `today_nano` included; `month_end` is the first day after it.

    None without a day of history. The same question with the same seed has the same answer.
    """
    history = list(daily)[-HISTORY_DAYS:]
    if not history:
        return None
    blocks = blocks_of(history, today)
    level = level_of(blocks)
    chance = Random(seed)  # noqa: S311 - a sample, no secret
    days = [today + timedelta(days=index) for index in range((month_end - today).days)]
    ends = sorted(spent_nano + round(rest_of_month(days, today_nano, level, blocks, chance)) for _ in range(MONTHS))
    return Forecast(
        expected_nano=ends[MONTHS // 2],
        low_nano=ends[round(MONTHS * TAIL)],
        high_nano=ends[round(MONTHS * (1 - TAIL)) - 1],
        days_known=len(history),
    )


def rest_of_month(
    days: Sequence[date], today_nano: int, level: Level, blocks: Sequence[Block], chance: Random
) -> float:
    """One possible rest. Of today it is what goes beyond that which was spent already."""
    rest = moved = 0.0
    block = blocks[-1]
    for index, day in enumerate(days):
        if index % WEEK == 0:
            block = chance.choice(blocks)
            moved += chance.choice(level.misses) * (DAMPING if index else 1)
        spent = level.total * math.exp(moved) * block.shares[day.weekday()]
        rest += spent if index else max(0.0, spent - today_nano)
    return rest


def blocks_of(history: Sequence[int], today: date) -> list[Block]:
    """Oldest first. Days before the first known are taken for the average of the others."""
    missing = -len(history) % WEEK
    filled = [round(sum(history) / len(history))] * missing + list(history)
    first = today - timedelta(days=len(filled))
    return [block_of(filled[index : index + WEEK], first) for index in range(0, len(filled), WEEK)]


def block_of(amounts: Sequence[int], first: date) -> Block:
    """`first` is the weekday of every block's first day: blocks are whole weeks."""
    total = sum(amounts)
    shares = [0.0] * WEEK
    for index, amount in enumerate(amounts):
        shares[(first.weekday() + index) % WEEK] = amount / total if total else 1 / WEEK
    return Block(total, tuple(shares))


def level_of(blocks: Sequence[Block]) -> Level:
    """By the weight that missed least."""
    return min(
        (smoothed(blocks, weight) for weight in WEIGHTS), key=lambda level: sum(miss**2 for miss in level.misses)
    )


def smoothed(blocks: Sequence[Block], weight: float) -> Level:
    total, misses = float(blocks[0].total), []
    for block in blocks[1:]:
        if total and block.total:
            misses.append(math.log(block.total / total))
        total += weight * (block.total - total)
    if len(misses) < 2:
        misses.append(UNKNOWN_MISS)
    # As often up as down: a trend is not carried on.
    return Level(total, tuple(sign * miss for miss in misses for sign in (1, -1)))
