"""A response's head leaves with the first of its body, and nothing else changes."""

import asyncio
import contextlib

import pytest
import uvicorn

from orchestrator_site.whole_writes import MOST_HEAD, HeadHeld, WholeWrites


class Recording(asyncio.Transport):
    """Keeps what is written, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, piece) -> None:
        self.pieces.append(bytes(piece))

    def close(self) -> None:
        self.pieces.append(b"closed")

    def is_closing(self) -> bool:
        return False


async def test_head_and_body_are_one_write_and_later_pieces_their_own():
    recording = Recording()
    held = HeadHeld(recording, asyncio.get_running_loop())
    held.write(b"HTTP/1.1 200 OK\r\n\r\n")
    held.write(b"first")
    held.write(b"second")
    await asyncio.sleep(0)
    assert recording.pieces == [b"HTTP/1.1 200 OK\r\n\r\nfirst", b"second"]
    assert held.is_closing() is False


async def test_a_head_alone_leaves_with_the_loops_next_turn_or_before_the_end():
    recording = Recording()
    held = HeadHeld(recording, asyncio.get_running_loop())
    held.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await asyncio.sleep(0)
    assert recording.pieces == [b"HTTP/1.1 204 No Content\r\n\r\n"]
    held.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    held.close()
    assert recording.pieces[1:] == [b"HTTP/1.1 204 No Content\r\n\r\n", b"closed"]


async def application(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/slow":
        await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b"two"})


@contextlib.asynccontextmanager
async def served():
    config = uvicorn.Config(application, port=0, http=WholeWrites, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        while not server.started:  # noqa: ASYNC110 uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def test_requests_on_one_connection_are_answered_in_order():
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in (b"/", b"/slow", b"/"):
            writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"{}")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
        writer.close()


async def sent_to(port, *pieces) -> bytes:
    """The answer to what is sent piece by piece, up to the end of the connection or of two seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        async with asyncio.timeout(2):
            while received := await reader.read(65_536):
                answer += received
    writer.close()
    return answer


LONG = b"x-long: " + b"y" * MOST_HEAD + b"\r\n"
MANY = b"x-short: 1\r\n" * (MOST_HEAD // 10)


@pytest.mark.parametrize("headers", [LONG, MANY])
@pytest.mark.parametrize("step", [1 << 20, 10_000])
@pytest.mark.parametrize("ended", [True, False])
async def test_a_head_that_is_too_long_is_refused_and_the_connection_closed(headers, step, ended):
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n" + headers + (b"\r\n" if ended else b"")
    async with served() as port:
        answer = await sent_to(port, *[whole[start : start + step] for start in range(0, len(whole), step)])
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_trailers_without_end_are_not_gathered():
    start = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"
    async with served() as port:
        assert (await sent_to(port, start, *[b"x-trailer: 1\r\n" * 1_000] * 5)).startswith(b"HTTP/1.1 431 ")


async def test_long_bodies_and_long_heads_within_the_limit_are_answered():
    head = b"POST / HTTP/1.1\r\nHost: x\r\nx-long: " + b"y" * (MOST_HEAD - 200) + b"\r\nContent-Length: 900000\r\n"
    both = head + b"Connection: close\r\n\r\n" + b" " * 900_000
    async with served() as port:
        first = head + b"\r\n" + b" " * 900_000
        answer = await sent_to(port, first + both)
    assert answer.count(b"HTTP/1.1 200") == 2
