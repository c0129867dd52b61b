"""What a vendor allows a credential, against a real Valkey with the time held in hand."""

import asyncio
import os

import pytest

from billing.limits.credentials import CredentialLimits
from common.ids import new_id
from common.redis import RedisConnection

START = 1_800_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def limits(redis):
    return CredentialLimits(redis)


async def test_a_minutes_calls_may_come_at_once_and_then_it_is_told_how_long_to_wait(limits):
    credential = new_id()
    waits = [await limits.take(credential, 60, now_microseconds=START) for _ in range(62)]
    assert waits == [0.0] * 60 + [1.0, 1.0]


async def test_waiting_as_told_is_enough_and_less_is_not(limits):
    credential = new_id()
    for _ in range(6):
        await limits.take(credential, 6, now_microseconds=START)
    seconds = await limits.take(credential, 6, now_microseconds=START)
    assert seconds == 10.0
    assert await limits.take(credential, 6, now_microseconds=START + 9 * SECOND) == 1.0
    assert await limits.take(credential, 6, now_microseconds=START + 10 * SECOND) == 0.0


async def test_a_call_that_was_not_allowed_is_not_counted(limits):
    credential = new_id()
    for _ in range(10):
        await limits.take(credential, 1, now_microseconds=START)
    assert await limits.take(credential, 1, now_microseconds=START + 60 * SECOND) == 0.0


async def test_processes_share_it_and_credentials_do_not(redis, limits):
    other = RedisConnection(os.environ["REDIS_URL"])
    credential = new_id()
    both = (limits, CredentialLimits(other))
    waits = await asyncio.gather(*(each.take(credential, 10, now_microseconds=START) for each in both * 10))
    await other.close()
    assert sum(wait == 0.0 for wait in waits) == 10
    assert await limits.take(new_id(), 10, now_microseconds=START) == 0.0


async def test_without_redis_every_call_may_be_made():
    away = RedisConnection("redis://127.0.0.1:1", timeout=0.2)
    limits = CredentialLimits(away)
    assert [await limits.take(new_id(), 1) for _ in range(3)] == [0.0] * 3
    await away.close()
