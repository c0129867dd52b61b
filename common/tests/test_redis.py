"""The shared connection against a real Valkey that misbehaves in the ways servers do."""

import asyncio
import time

import pytest

from common.redis import RedisConnection, RedisRefused, RedisUnavailable, Script


@pytest.fixture
async def redis(valkey):
    connection = RedisConnection(valkey.url, timeout=0.4)
    await connection.open()
    await connection.call("FLUSHDB")
    yield connection
    await connection.close()


@pytest.fixture
async def operator(valkey):
    connection = RedisConnection(valkey.url, timeout=5)
    await connection.open()
    yield connection
    await connection.close()


async def eventually(connection: RedisConnection) -> None:
    """Waits until the connection has come back by itself."""
    for _ in range(200):
        try:
            await connection.call("PING")
            return
        except RedisUnavailable:
            await asyncio.sleep(0.02)
    raise AssertionError("the connection never came back")


async def test_a_thousand_concurrent_commands_get_their_own_replies(redis):
    async def one(number: int) -> None:
        await redis.call("SET", f"k{number}", number)
        if number % 3 == 0:
            assert await redis.pipeline([("GET", f"k{number}"), ("ECHO", number)]) == [b"%d" % number] * 2
        assert await redis.call("GET", f"k{number}") == b"%d" % number

    await asyncio.gather(*map(one, range(1000)))


async def test_commands_of_one_tick_leave_in_one_write(redis):
    writes = []
    original = redis._wire.write

    def watched(packed):
        writes.append(packed)
        original(packed)

    redis._wire.write = watched
    await asyncio.gather(*[redis.call("ECHO", n) for n in range(50)])
    assert len(writes) == 1


async def test_the_url_names_database_and_password(redis):
    info = (await redis.call("CLIENT", "INFO")).decode()
    assert " db=3 " in info


async def test_a_wrong_password_is_an_error_not_a_hang(valkey):
    connection = RedisConnection(valkey.url.replace("secret", "guess"), timeout=0.4)
    with pytest.raises(RedisUnavailable):
        await connection.call("PING")
    await connection.close()


async def test_an_error_reply_is_raised_and_leaves_the_connection_in_step(redis):
    await redis.call("SET", "text", "x")
    with pytest.raises(RedisRefused):
        await redis.call("INCR", "text")
    with pytest.raises(RedisRefused):
        await redis.pipeline([("INCR", "text"), ("SET", "after", 1)])
    assert await redis.call("GET", "after") == b"1"


async def test_a_cancelled_caller_does_not_shift_the_replies_of_others(redis):
    tasks = [asyncio.create_task(redis.call("ECHO", n)) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [r for r in results if isinstance(r, bytes)] == [b"%d" % n for n in range(1, 20, 2)]


async def test_a_forgotten_script_costs_one_more_round_trip(redis):
    script = Script("return {KEYS[1], ARGV[1]}")
    for _ in range(2):
        assert await redis.eval_script(script, ["k"], [7]) == [b"k", b"7"]
    await redis.call("SCRIPT", "FLUSH")
    assert await redis.eval_script(script, ["k"], [8]) == [b"k", b"8"]


async def test_a_paused_server_fails_everything_pending_in_time(redis, operator):
    await operator.call("CLIENT", "PAUSE", 1500, "ALL")
    began = time.monotonic()
    results = await asyncio.gather(*[redis.call("GET", "x") for _ in range(30)], return_exceptions=True)
    assert all(isinstance(result, RedisUnavailable) for result in results)
    assert time.monotonic() - began < 1.4, "failed by the watchdog, not by the end of the pause"
    await eventually(redis)


async def test_a_killed_connection_fails_what_was_sent_and_comes_back(redis, operator):
    identity = await redis.call("CLIENT", "ID")
    blocked = asyncio.create_task(redis.call("BLPOP", "nothing", 0))
    await asyncio.sleep(0.02)
    await operator.call("CLIENT", "KILL", "ID", identity)
    with pytest.raises(RedisUnavailable):
        await blocked
    await eventually(redis)


async def test_a_stall_of_our_own_loop_is_not_blamed_on_the_server(redis):
    pending = asyncio.create_task(redis.call("PING"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251
    assert await pending == b"PONG"


async def test_a_server_that_goes_and_returns(valkey):
    connection = RedisConnection(valkey.url, timeout=0.4)
    await connection.open()
    valkey.kill()
    await asyncio.sleep(0.1)
    for _ in range(5):
        with pytest.raises(RedisUnavailable):
            await connection.call("PING")
    valkey.start()
    await eventually(connection)
    await connection.close()
    with pytest.raises(RedisUnavailable):
        await connection.call("PING")


async def test_what_waits_is_bounded(valkey):
    connection = RedisConnection(valkey.url, timeout=0.4, most_pending=5)
    await connection.open()
    results = await asyncio.gather(*[connection.call("PING") for _ in range(8)], return_exceptions=True)
    assert [result == b"PONG" for result in results] == [True] * 5 + [False] * 3
    await connection.close()


async def test_a_server_that_never_answers():
    async def swallow(reader, writer):
        await reader.read()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = RedisConnection(f"redis://127.0.0.1:{port}/0", timeout=0.2)
    await asyncio.wait_for(connection.open(), 1)
    with pytest.raises(RedisUnavailable):
        await asyncio.wait_for(connection.call("PING"), 1)
    await connection.close()
    server.close()


async def test_noise_instead_of_replies_is_an_error():
    async def babble(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = RedisConnection(f"redis://127.0.0.1:{port}/0", timeout=0.2)
    with pytest.raises(RedisUnavailable):
        await asyncio.wait_for(connection.call("PING"), 1)
    await connection.close()
    server.close()
