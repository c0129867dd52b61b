"""One connection of the ledger, and the number of its socket, which others get when it is closed."""

import asyncio

import pytest
import uvloop

from billing.ledger.connection import ConnectionLost, LedgerConnection
from billing.tests.entries import connect, database_url

pytestmark = pytest.mark.usefixtures("django_db_setup")

ONE_ROW = b"SELECT 1 WHERE $1::int = 1"


def number_of(connection):
    return connection._connection.fileno()


async def end_while_idle(connection):
    """The server ends the session, and the connection has seen it."""
    session = connection._connection
    with connect(role=None) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [session.info.backend_pid])
    async with asyncio.timeout(5):
        while not session.closed:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_whoever_got_the_number_of_a_closed_socket_is_left_alone():
    async def greet(_, writer):
        writer.write(b"hello")
        writer.close()

    async def once():
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        connection = LedgerConnection(database_url(), name="test")
        await connection.ensure()
        number = number_of(connection)
        await end_while_idle(connection)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert writer.get_extra_info("socket").fileno() == number
        with pytest.raises(ConnectionLost):
            await connection.execute(ONE_ROW, [1])
        assert await asyncio.wait_for(reader.read(), 5) == b"hello"
        writer.close()
        await connection.ensure()
        assert await connection.execute(ONE_ROW, [1]) == 1
        await connection.close()
        server.close()

    uvloop.run(once())


def test_another_connection_that_got_the_number_of_a_closed_one_still_hears_its_answers():
    async def once():
        first, second = (LedgerConnection(database_url(), name=name) for name in ("first", "second"))
        await first.ensure()
        number = number_of(first)
        await end_while_idle(first)
        await second.ensure()
        assert number_of(second) == number
        with pytest.raises(ConnectionLost):
            await first.execute(ONE_ROW, [1])
        async with asyncio.timeout(10):
            assert await second.execute(ONE_ROW, [1]) == 1
        for connection in (first, second):
            await connection.close()

    uvloop.run(once())


async def test_a_parameter_larger_than_the_sockets_buffers_arrives_whole():
    connection = LedgerConnection(database_url(), name="test")
    await connection.ensure()
    size = 20_000_000
    for _ in range(2):
        assert await connection.execute(b"SELECT 1 WHERE length($1::text) = %d" % size, ["x" * size]) == 1
    await connection.close()


def test_a_command_ends_by_its_deadline_though_the_loop_has_stopped_watching_its_socket():
    """As libuv does of itself when a connection is reset."""

    async def once():
        connection = LedgerConnection(database_url(), name="test", command_seconds=0.2)
        await connection.ensure()
        asyncio.get_running_loop().remove_reader(number_of(connection))
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionLost):
                await connection.execute(ONE_ROW, [1])
            await connection.ensure()
            assert await connection.execute(ONE_ROW, [1]) == 1
        await connection.close()

    uvloop.run(once())
