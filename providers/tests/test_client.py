"""The client against real sockets that misbehave."""

import asyncio
import gzip
import socket

import pytest

from common.errors import UpstreamError, UpstreamGarbled, UpstreamTimeout, UpstreamUnreachable
from providers.client import UpstreamClient
from providers.tests.faulty_vendor import (
    CHUNKED,
    HEAD,
    LOOPBACK,
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
from providers.wire.shapes import Deadlines, Secret, UpstreamRequest


async def test_a_call_carries_its_headers_and_bytes_and_nothing_else():
    async with vendor(answers(sized(b"answer"))) as made:
        headers = (("authorization", Secret("Bearer k")), ("content-type", Secret("application/json")))
        async with ask(made, b'{"a": 1}', headers=headers, extra=(("x-request-id", "r1"),)) as response:
            assert response.status == 200
            assert await response.read() == b"answer"
        head, body = made.requests[0]
        lines = sorted(line for line in head.decode().lower().split("\r\n")[1:] if line)
        assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
        assert body == b'{"a": 1}'
        assert lines == [
            "accept-encoding: identity",
            "accept: */*",
            "authorization: bearer k",
            "content-length: 8",
            "content-type: application/json",
            f"host: 127.0.0.1:{made.port}",
            "user-agent: orchestrator",
            "x-request-id: r1",
        ]


async def test_one_calls_headers_do_not_stay_for_the_next():
    async with vendor(answers(sized(b"x"))) as made:
        headers = (("authorization", Secret("Bearer k")),)
        async with ask(made, headers=headers, extra=(("x-request-id", "r1"),)) as response:
            await response.read()
        async with ask(made, headers=headers) as response:
            await response.read()
        assert b"x-request-id" not in made.requests[1][0]
        assert made.connections == 1


async def test_chunks_come_as_they_are_sent():
    async with vendor(answers(CHUNKED, chunk(b"one"), chunk(b"two"), b"0\r\n\r\n")) as made, ask(made) as response:
        assert response.headers["x-vendor"] == "one"
        assert [piece async for piece in response.chunks()] == [b"one", b"two"]


async def test_a_compressed_answer_nobody_asked_for_is_still_read():
    packed = gzip.compress(b"plain")
    async with vendor(answers(sized(packed, extra=b"Content-Encoding: gzip\r\n"))) as made, ask(made) as response:
        assert await response.read() == b"plain"


async def test_a_redirect_is_not_followed():
    script = answers(sized(b"", status="307 Temporary Redirect", extra=b"Location: http://127.0.0.1:1/\r\n"))
    async with vendor(script) as made, ask(made) as response:
        assert response.status == 307
        assert len(made.requests) == 1


async def test_environment_proxies_are_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with vendor(answers(sized(b"direct"))) as made, ask(made) as response:
        assert await response.read() == b"direct"


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        (silent, UpstreamTimeout, "upstream_timeout"),
        (answers(close=True), UpstreamUnreachable, "upstream_reset"),
        (answers(b"SSH-2.0-OpenSSH_9.2\r\n", close=True), UpstreamGarbled, "upstream_garbled"),
        (answers(sized(b"x" * 1001)), UpstreamGarbled, "upstream_garbled"),
        (answers(CHUNKED, chunk(b"x" * 700), chunk(b"x" * 700), b"0\r\n\r\n"), UpstreamGarbled, "upstream_garbled"),
        (answers(HEAD + b"Content-Length: 50\r\n\r\nhalf", close=True), UpstreamGarbled, "upstream_garbled"),
        (answers(CHUNKED, chunk(b"one"), close=True), UpstreamGarbled, "upstream_garbled"),
        (answers(CHUNKED, b"zz\r\nnot a size"), UpstreamGarbled, "upstream_garbled"),
        (answers(HEAD + b"X-Big: " + b"x" * 40_000 + b"\r\n\r\n"), UpstreamGarbled, "upstream_garbled"),
    ],
)
async def test_what_a_vendor_does_wrong_becomes_a_designed_error(script, kind, code):
    async with vendor(script) as made:
        failure = await fails(made, Deadlines(connect=0.3, first_byte=0.3, between_chunks=30.0, total=60.0))
        assert type(failure) is kind
        assert failure.code == code


async def test_a_reset_in_the_middle_of_an_answer():
    async def script(reader, writer):
        writer.write(CHUNKED + chunk(b"one"))
        await writer.drain()
        await asyncio.sleep(0.05)
        reset(writer)

    async with vendor(script) as made:
        assert type(await fails(made)) is UpstreamGarbled


async def test_what_came_before_the_cut_is_delivered_first():
    async with vendor(answers(CHUNKED, chunk(b"one"), chunk(b"two"), close=True)) as made:
        seen = []

        async def read():
            async with ask(made) as response:
                async for piece in response.chunks():
                    seen.append(piece)

        with pytest.raises(UpstreamGarbled):
            await read()
        assert b"".join(seen).startswith(b"one")


async def test_nobody_listening():
    async with vendor(silent) as made:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            made.port = closed.getsockname()[1]
            failure = await fails(made)
        assert failure.code == "upstream_unreachable"


async def test_a_connection_that_is_never_accepted():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        blockers = []
        for _ in range(4):
            blocker = socket.socket()
            blocker.setblocking(False)
            blocker.connect_ex(full.getsockname())
            blockers.append(blocker)
        async with vendor(silent) as made:
            made.port = full.getsockname()[1]
            failure = await fails(made)
        for blocker in blockers:
            blocker.close()
    assert type(failure) is UpstreamTimeout
    assert failure.code == "upstream_connect_timeout"


@pytest.mark.parametrize("url", ["http://", "http://[::1", "ftp://127.0.0.1/x", "http://127.0.0.1:99999/"])
async def test_a_url_that_is_none(url):
    client = UpstreamClient(1, LOOPBACK)
    await client.open()
    with pytest.raises(UpstreamUnreachable):
        async with client.send(UpstreamRequest(url=url, headers=(), body=b"", stream=False), SHORT):
            pass
    await client.close()


async def test_silence_within_an_answer():
    async def script(reader, writer):
        writer.write(CHUNKED + chunk(b"one"))
        await reader.read(1)
        raise ConnectionError

    async with vendor(script) as made:
        failure = await fails(made)
        assert type(failure) is UpstreamTimeout
        assert failure.code == "upstream_stalled"


async def test_a_slow_but_steady_answer_outlives_the_deadline_between_chunks():
    async def script(reader, writer):
        writer.write(CHUNKED)
        for _ in range(8):
            await asyncio.sleep(0.1)
            writer.write(chunk(b"x"))
        writer.write(b"0\r\n\r\n")

    async with vendor(script) as made, ask(made) as response:
        assert await response.read() == b"x" * 8


async def test_a_steady_answer_ends_at_the_total_deadline():
    async def script(reader, writer):
        writer.write(CHUNKED)
        for _ in range(100):
            await asyncio.sleep(0.05)
            writer.write(chunk(b"x"))
            await writer.drain()

    async with vendor(script) as made:
        failure = await fails(made, Deadlines(connect=0.3, first_byte=0.3, between_chunks=0.3, total=0.4))
        assert type(failure) is UpstreamTimeout
        assert failure.code == "upstream_timeout"


async def test_the_total_deadline_holds_while_headers_trickle():
    async def script(reader, writer):
        for letter in HEAD:
            writer.write(bytes([letter]))
            await asyncio.sleep(0.05)

    async with vendor(script) as made:
        failure = await fails(made, Deadlines(connect=0.3, first_byte=0.3, between_chunks=0.3, total=0.5))
        assert failure.code == "upstream_timeout"


async def test_a_reader_that_takes_its_time_is_not_the_providers_silence():
    async with vendor(answers(CHUNKED, chunk(b"one"), chunk(b"two"), b"0\r\n\r\n")) as made, ask(made) as response:
        seen = b""
        async for piece in response.chunks():
            seen += piece
            await asyncio.sleep(0.5)
        assert seen == b"onetwo"


async def test_an_error_body_is_cut_at_its_limit_and_a_broken_one_is_empty():
    async with vendor(answers(sized(b"e" * 500, status="500 Oops"))) as made:
        async with ask(made) as response:
            assert response.status == 500
            assert await response.read_error(100) == b"e" * 100
        made.script = answers(b"HTTP/1.1 500 Oops\r\nContent-Length: 50\r\n\r\nhalf", close=True)
        async with ask(made) as response:
            assert await response.read_error() in (b"", b"half")


async def test_secrets_do_not_show_in_what_is_raised():
    async with vendor(answers(close=True)) as made:
        with pytest.raises(UpstreamError) as failure:
            async with ask(made, headers=(("authorization", Secret("Bearer sk-very-secret")),)):
                pass
    assert "very-secret" not in repr(failure.value) + str(failure.value)
    assert failure.value.__cause__ is None
