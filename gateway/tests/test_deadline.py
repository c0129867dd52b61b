"""The deadline, and what becomes of cancellations that are not its own."""

import asyncio

import pytest

from common.errors import UpstreamTimeout
from gateway.deadline import Deadline


async def test_what_is_late_ends():
    with pytest.raises(UpstreamTimeout):
        async with Deadline(0.02):
            await asyncio.sleep(5)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_what_is_in_time_is_left_alone():
    async with Deadline(0.02):
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    with pytest.raises(LookupError):
        async with Deadline(5):
            raise LookupError


async def test_a_cancellation_from_outside_stays_one():
    async def work():
        async with Deadline(0.05):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
