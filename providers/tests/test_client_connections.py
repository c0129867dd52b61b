"""What becomes of connections: dropped at once, kept alive, never used to send twice, bounded."""

import asyncio

import pytest

from common.errors import UpstreamUnreachable
from providers.client.address import Address
from providers.client.connection import connected
from providers.tests.faulty_vendor import (
    CHUNKED,
    SHORT,
    answers,
    ask,
    chunk,
    fails,
    reset,
    silent,
    sized,
    vendor,
)
from providers.wire.shapes import Deadlines


async def endless(reader, writer):
    writer.write(CHUNKED)
    while True:
        writer.write(chunk(b"data: x\n\n"))
        await writer.drain()
        if reader.at_eof():
            raise ConnectionError
        await asyncio.sleep(0.005)


async def test_cancelling_drops_the_connection():
    async with vendor(endless) as made:
        begun = asyncio.Event()

        async def read():
            async with ask(made) as response:
                async for _ in response.chunks():
                    begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(made.gone.wait(), 2)


async def test_cancelling_before_the_answer_drops_the_connection():
    async with vendor(silent) as made:

        async def read():
            async with ask(made, deadlines=Deadlines()):
                pass

        task = asyncio.create_task(read())
        await made.has_been_asked(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(made.gone.wait(), 2)


async def test_leaving_early_drops_the_connection_and_the_next_call_has_a_fresh_one():
    async with vendor(endless) as made:
        async with ask(made) as response:
            async for _ in response.chunks():
                break
        await asyncio.wait_for(made.gone.wait(), 2)
        made.script = answers(sized(b"fresh"))
        async with ask(made) as response:
            assert await response.read() == b"fresh"
        assert made.connections == 2


async def test_a_kept_alive_connection_that_dies_is_never_used_to_send_twice():
    """The vendor answers once, then takes a second request on the same connection and hangs up without an answer."""
    count = 0

    async def script(reader, writer):
        nonlocal count
        count += 1
        if count == 1:
            writer.write(sized(b"first"))
        else:
            raise ConnectionError

    async with vendor(script) as made:
        async with ask(made) as response:
            assert await response.read() == b"first"
        failure = await fails(made)
        assert failure.code == "upstream_reset"
        await asyncio.sleep(0.05)
        assert len(made.requests) == 2
        assert made.connections == 1


async def test_a_connection_lost_before_anything_was_asked_is_a_reset():
    async def hang_up(_, writer):
        reset(writer)

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    connection = await connected(Address(host, port, tls=False), host, None)
    async with asyncio.timeout(5):
        while not connection.lost:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    loop = asyncio.get_running_loop()
    with pytest.raises(UpstreamUnreachable) as failure:
        await connection.ask(loop, b"anything", SHORT, loop.time() + 5).head()
    assert failure.value.code == "upstream_reset"
    server.close()


async def test_an_idle_connection_closed_by_the_vendor_is_not_used_again():
    async with vendor(answers(sized(b"one"), close=True)) as made:
        for _ in range(3):
            async with ask(made) as response:
                assert await response.read() == b"one"
            await asyncio.sleep(0.05)
        assert made.connections == 3


async def test_the_pool_has_a_bound_and_waiting_for_it_a_deadline():
    async with vendor(silent) as made:
        patient = Deadlines(connect=5, first_byte=5, between_chunks=5, total=5)

        async def occupy():
            async with ask(made, deadlines=patient):
                pass

        tasks = [asyncio.create_task(occupy()) for _ in range(8)]
        await made.has_been_asked(8)
        failure = await fails(made)
        assert failure.code == "upstream_connect_timeout"
        assert len(made.requests) == 8
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
