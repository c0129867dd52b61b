"""One exchange against bytes cut anywhere: what the network may do to an answer changes nothing about it."""

import asyncio

import pytest

from common.errors import UpstreamError, UpstreamGarbled, UpstreamTimeout, UpstreamUnreachable
from providers.client.address import Address
from providers.client.connection import Connection
from providers.client.exchange import LARGEST_FRAMING, READ_BUFFER, Exchange
from providers.wire.shapes import Deadlines

INTERIM = b"HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Twice: a\r\nx-twice: b\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n7;extension=1\r\n, world\r\n0\r\nX-Trailer: t\r\n\r\n"
)
SIZED = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"
OPEN_ENDED = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"


class Wire(asyncio.Transport):
    """The transport's side of it: remembers whether reading is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = True

    def write(self, sent: bytes | bytearray | memoryview) -> None:
        """Sent, as far as anybody here asks."""

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def exchange(wire: Wire | None = None) -> Exchange:
    loop = asyncio.get_running_loop()
    return Exchange(loop, wire or Wire(), Deadlines(), loop.time() + 60)


async def body_of(made: Exchange) -> bytes:
    body = b""
    while piece := await made.piece():
        body += piece
    return body


async def whole_body_of(made: Exchange) -> bytes:
    await made.head()
    return await body_of(made)


@pytest.mark.parametrize(("answer", "status", "body"), [(CHUNKED, 200, b"hello, world"), (SIZED, 404, b"hello")])
@pytest.mark.parametrize("before", [b"", INTERIM], ids=["plain", "after-100"])
async def test_an_answer_cut_at_any_byte_is_the_same_answer(answer, status, body, before):
    whole = before + answer
    for cut in range(1, len(whole)):
        made = exchange()
        made.feed(whole[:cut])
        made.feed(whole[cut:])
        await made.head()
        assert (made.status, await body_of(made), made.reusable) == (status, body, True)
        assert "x-interim" not in made.headers
        made.stop()


async def test_headers_have_lower_case_names_and_repeated_ones_are_joined():
    made = exchange()
    made.feed(CHUNKED)
    assert made.headers == {"content-type": "text/event-stream", "x-twice": "a, b", "transfer-encoding": "chunked"}


@pytest.mark.parametrize("answer", [CHUNKED, SIZED], ids=["chunked", "sized"])
async def test_an_answer_that_ends_at_any_byte_before_its_last_is_never_taken_for_whole(answer):
    head = answer.index(b"\r\n\r\n") + 4
    for cut in range(1, len(answer)):
        made = exchange()
        made.feed(answer[:cut])
        made.lost(closed=True)
        with pytest.raises(UpstreamError) as failure:
            await whole_body_of(made)
        assert type(failure.value) is (UpstreamUnreachable if cut < head else UpstreamGarbled)
        made.stop()


async def test_without_a_length_the_closed_connection_is_the_end_and_a_reset_is_none():
    for closed in (True, False):
        made = exchange()
        made.feed(OPEN_ENDED)
        made.lost(closed=closed)
        assert await made.piece() == b"hello"
        assert made.over is closed
        if not closed:
            with pytest.raises(UpstreamGarbled):
                await made.piece()


@pytest.mark.parametrize("more", [SIZED, b"H", b"\x00garbage"], ids=["an answer", "a letter", "garbage"])
async def test_bytes_after_the_answer_make_the_connection_worthless_and_leave_the_answer_whole(more):
    for parts in ([SIZED + more], [SIZED, more]):
        made = exchange()
        for part in parts:
            made.feed(part)
        assert (await body_of(made), made.status, made.reusable) == (b"hello", 404, False)


@pytest.mark.parametrize(
    "connection", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"HTTP/1.0 200 OK\r\n"], ids=["close", "1.0"]
)
async def test_an_answer_that_closes_its_connection_is_believed(connection):
    made = exchange()
    made.feed(connection + b"Content-Length: 5\r\n\r\nhello")
    assert await body_of(made) == b"hello"
    assert not made.reusable


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nanything",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n folded: yes\r\nContent-Length\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
    ],
    ids=["upgrade", "two lengths", "length and chunks", "no colon", "version"],
)
async def test_framing_that_can_be_read_in_two_ways_is_refused(answer):
    made = exchange()
    made.feed(answer)
    with pytest.raises(UpstreamGarbled):
        await whole_body_of(made)
    assert not made.reusable


@pytest.mark.parametrize(
    "endless",
    [
        [b"HTTP/1.1 200 OK\r\n"] + [b"X-A: b\r\n" * 100] * 200,
        [b"HTTP/1.1 200 OK\r\nX-A: "] + [b"x" * 1000] * 200,
        [INTERIM] * 2000,
        [CHUNKED[:-4]] + [b"X-B: c\r\n" * 100] * 200,
        [CHUNKED[:-4] + b"X-B: "] + [b"c" * 1000] * 200,
    ],
    ids=["headers", "one header", "interim answers", "trailers", "one trailer"],
)
async def test_whatever_is_no_body_has_a_bound(endless):
    made = exchange()
    fed = 0
    for part in endless:
        made.feed(part)
        fed += len(part)
        if made.failure is not None:
            break
    assert isinstance(made.failure, UpstreamGarbled)
    assert fed <= LARGEST_FRAMING + 2000


async def test_a_body_that_nobody_reads_stops_the_reading():
    wire = Wire()
    made = exchange(wire)
    made.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(5):
        made.feed(b"x" * 60_000)
    assert not wire.reading
    assert len(await made.piece()) == 300_000 > READ_BUFFER
    assert wire.reading


async def test_the_wait_for_an_answer_begins_when_a_large_request_has_left():
    loop = asyncio.get_running_loop()
    wire, connection = Wire(), Connection(Address("127.0.0.1", 80, tls=False))
    connection.connection_made(wire)
    made = connection.ask(loop, b"a large request", Deadlines(first_byte=0.1), loop.time() + 60)
    connection.pause_writing()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(made.head(), 0.3)
    assert made.failure is None
    connection.resume_writing()
    left_at = loop.time()
    with pytest.raises(UpstreamTimeout):
        await made.head()
    assert loop.time() - left_at >= 0.09
