"""A target that is down for a minute, seen by two processes on one real Redis, with the time held in hand."""

import asyncio
import itertools
import os
import random

import pytest

from common.ids import new_id
from common.redis import RedisConnection
from gateway.targets.board import Board
from gateway.targets.shared import VITALS
from gateway.tests.held_clock import HeldClock
from providers import circuits

DOWN, UP = 5.0, 65.0
STEP, TURN = 0.1, 0.5


@pytest.fixture
async def redis():
    connection = RedisConnection(os.environ["REDIS_URL"])
    await connection.open()
    yield connection
    await connection.call("DEL", circuits.KEY, VITALS)
    await connection.close()


class Story:
    """Requests at two processes, one of each every step; the primary while it may be asked, or else the spare."""

    def __init__(self, redis):
        self.clock = HeldClock()
        self.boards = [
            Board(self.clock, redis, process=name, draw=random.Random(name).random) for name in ("one", "two")
        ]
        owner = f"t:{new_id().hex}"
        self.primary, self.spare = f"{owner}/primary/model#", f"{owner}/spare/model#"
        # (when, which process, probe or not) of calls at the primary.
        self.calls: list[tuple[float, int, bool]] = []
        self.served = 0

    async def until(self, end):
        steps = 0
        while (now := self.clock.monotonic() - 1000.0) < end:
            for number, board in enumerate(self.boards):
                await self.request(number, board, now)
                # The two take their turns at different times.
                if steps % round(TURN / STEP) == number * 2:
                    await board.share()
            steps += 1
            self.clock.pass_by(STEP)

    async def request(self, number, board, now):
        [verdict, spare] = board.admissible([self.primary, self.spare])
        assert spare.may == "yes"
        is_probe = verdict.may == "probe"
        if verdict.may == "yes" or (is_probe and await board.claim_probe(self.primary)):
            self.calls.append((now, number, is_probe))
            flight = board.began(self.primary, probe=is_probe)
            if not DOWN <= now < UP:
                flight.first_chunk(0.1)
                flight.succeeded(10)
                self.served += 1
                return
            flight.failed("failed")
        board.began(self.spare).succeeded(10)
        self.served += 1
        await asyncio.sleep(0)


async def test_it_is_probed_once_an_interval_by_all_together_and_is_back_within_five_seconds(redis):
    story = Story(redis)
    await story.until(UP + 8)
    assert story.served == 2 * round((UP + 8) / STEP)
    down = [call for call in story.calls if DOWN <= call[0] < UP]
    opened_by = max(when for when, _, is_probe in down if not is_probe)
    assert opened_by < DOWN + 1.1
    assert sum(not is_probe for *_, is_probe in down) <= 10
    probes = [when for when, _, is_probe in down if is_probe]
    gaps = [later - earlier for earlier, later in itertools.pairwise(probes)]
    assert min(gaps) >= 0.75 * 2 - STEP
    assert min(gaps[2:]) >= 0.75 * 4 - STEP
    assert len(probes) <= 60 / (0.75 * 4) + 2
    for number in (0, 1):
        back = min(when for when, who, is_probe in story.calls if who == number and when >= UP and not is_probe)
        assert back - UP <= 5.0
    assert all(board.admissible([story.primary])[0].may == "yes" for board in story.boards)
