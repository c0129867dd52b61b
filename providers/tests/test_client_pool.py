"""Connections to several providers at once: turns, room, certificates, uploads."""

import asyncio
import gzip
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common.errors import UpstreamGarbled, UpstreamUnreachable
from providers.client import UpstreamClient
from providers.tests.faulty_vendor import CHUNKED, HEAD, LOOPBACK, SHORT, answers, ask, chunk, fails, sized, vendor
from providers.wire.shapes import Deadlines, Secret, UpstreamRequest


async def test_idle_connections_elsewhere_give_way():
    async with vendor(answers(sized(b"one"))) as first, vendor(answers(sized(b"two"))) as second:
        first.client._pool_size = 1
        await first.client.open()
        second.client = first.client
        for made, body in ((first, b"one"), (second, b"two"), (first, b"one")):
            async with ask(made) as response:
                assert await response.read() == body
        assert first.connections == 2


async def test_who_waits_in_line_gets_the_connection_that_was_given_back():
    async with vendor(answers(sized(b"x"))) as made:
        made.client._pool_size = 1
        await made.client.open()

        async def call():
            async with ask(made, deadlines=Deadlines()) as response:
                return await response.read()

        assert await asyncio.gather(*(call() for _ in range(20))) == [b"x"] * 20
        assert made.connections == 1


async def test_one_who_leaves_the_line_takes_no_turn_with_him():
    release = asyncio.Event()

    async def script(reader, writer):
        await release.wait()
        writer.write(sized(b"x"))

    async with vendor(script) as made:
        made.client._pool_size = 1
        await made.client.open()

        async def call():
            async with ask(made, deadlines=Deadlines()) as response:
                return await response.read()

        tasks = [asyncio.create_task(call()) for _ in range(3)]
        await made.has_been_asked(1)
        tasks[1].cancel()
        release.set()
        assert await asyncio.gather(*tasks[::2]) == [b"x", b"x"]


async def test_closing_the_client_breaks_off_what_is_under_way():
    async with vendor(answers(CHUNKED, chunk(b"one"))) as made, ask(made, deadlines=Deadlines()) as response:
        pieces = response.chunks()
        assert await anext(pieces) == b"one"
        await made.client.close()
        with pytest.raises(UpstreamGarbled):
            await anext(pieces)


async def test_an_answer_that_ends_with_its_connection_is_not_whole_when_the_client_closes_that():
    async with vendor(answers(HEAD + b"\r\nsome")) as made, ask(made, deadlines=Deadlines()) as response:
        pieces = response.chunks()
        assert await anext(pieces) == b"some"
        await made.client.close()
        with pytest.raises(UpstreamGarbled):
            await anext(pieces)


async def test_a_client_that_closes_while_it_connects_keeps_no_connection():
    reached, closed = asyncio.Event(), asyncio.Event()

    async def places(host, scope):
        reached.set()
        await closed.wait()
        return [host]

    async with vendor(answers(sized(b"x"))) as made:
        made.client = UpstreamClient(1, places)
        await made.client.open()
        failing = asyncio.create_task(fails(made, Deadlines()))
        await reached.wait()
        await made.client.close()
        closed.set()
        assert (await failing).code == "upstream_unreachable"
        assert made.requests == []


async def test_connections_that_are_being_made_count_among_the_open_ones():
    """Idle ones make room for them too: the limit is of sockets."""
    together = asyncio.Barrier(3)

    async def script(reader, writer):
        await together.wait()
        writer.write(sized(b"x"))

    async def call(made):
        async with ask(made, deadlines=Deadlines()) as response:
            return await response.read()

    async with vendor(script) as first, vendor(script) as second:
        first.client._pool_size = 3
        await first.client.open()
        second.client = first.client
        await asyncio.gather(*(call(first) for _ in range(3)))
        assert first.connections == 3
        await asyncio.gather(*(call(second) for _ in range(3)))
        assert second.connections == 3
        assert len(first.client._pool._all_idle()) == 3


async def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one():
    async def script(reader, writer):
        writer.write(sized(b"asked"))
        await writer.drain()
        if len(made.requests) == 1:
            await asyncio.sleep(0.02)
            writer.write(sized(b"unasked"))

    async with vendor(script) as made:
        async with ask(made) as response:
            assert await response.read() == b"asked"
        await asyncio.wait_for(made.gone.wait(), 2)
        async with ask(made) as response:
            assert await response.read() == b"asked"
        assert made.connections == 2


async def test_a_vendor_that_sends_faster_than_it_is_read_waits():
    sent = 0
    full = asyncio.Event()

    async def script(reader, writer):
        nonlocal sent
        writer.write(CHUNKED)
        piece = chunk(b"x" * 65_536)
        for _ in range(1000):
            writer.write(piece)
            try:
                await asyncio.wait_for(writer.drain(), 0.5)
            except TimeoutError:
                full.set()
                raise ConnectionError from None
            sent += 65_536

    async with vendor(script) as made, ask(made, deadlines=Deadlines()) as response:
        await asyncio.wait_for(full.wait(), 30)
        assert response.status == 200
    assert sent < 16 * 1024 * 1024


async def test_a_little_compressed_body_that_unpacks_to_very_much_is_refused():
    bomb = gzip.compress(b"\0" * 50_000_000)
    async with vendor(answers(sized(bomb, extra=b"Content-Encoding: gzip\r\n"))) as made:
        assert type(await fails(made, limit=1_000_000)) is UpstreamGarbled


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", gzip.compress(b"text" * 100, mtime=0)[:-9]), ("gzip", b"no gzip"), ("br", b"whatever")],
)
async def test_a_compressed_body_that_cannot_be_unpacked_to_its_end_is_garbled(coding, body):
    async with vendor(answers(sized(body, extra=f"Content-Encoding: {coding}\r\n".encode()))) as made:
        assert type(await fails(made)) is UpstreamGarbled


@pytest.mark.parametrize("header", [("x-a", "b\r\nx-injected: yes"), ("x-a\r\nx-injected", "yes"), ("x-a", "ж")])
async def test_a_header_that_would_break_out_of_its_line_is_never_sent(header):
    async with vendor(answers(sized(b"x"))) as made:
        for given in ({"headers": ((header[0], Secret(header[1])),)}, {"extra": (header,)}):
            with pytest.raises(UpstreamUnreachable):
                async with ask(made, **given):
                    pass
        assert made.requests == []


async def test_a_header_of_the_providers_own_replaces_ours_and_never_the_framing():
    headers = (("User-Agent", Secret("theirs")), ("Content-Length", Secret("1")), ("Connection", Secret("close")))
    async with vendor(answers(sized(b"x"))) as made, ask(made, b"{}", headers=headers) as response:
        assert await response.read() == b"x"
    head = made.requests[0][0].lower()
    assert b"user-agent: theirs\r\n" in head
    assert head.count(b"user-agent") == head.count(b"content-length") == 1
    assert b"content-length: 2\r\n" in head
    assert b"connection" not in head


@asynccontextmanager
async def tls_vendor(tmp_path):
    """A server with a certificate of its own for 127.0.0.1, and the context of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a vendor")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    shown = certificate.public_bytes(serialization.Encoding.PEM)
    hidden = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "both.pem").write_bytes(hidden + shown)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "both.pem")
    asked = []

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked.append(head)
                await reader.readexactly(2)
                writer.write(CHUNKED + chunk(b"secret") + b"0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=serving)
    trusting = ssl.create_default_context(cadata=shown.decode())
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions"
    yield UpstreamRequest(url=url, headers=(), body=b"{}", stream=True), trusting, asked
    server.close()


async def test_an_encrypted_connection_is_used_again(tmp_path):
    async with tls_vendor(tmp_path) as (request, trusting, asked):
        client = UpstreamClient(2, LOOPBACK, trusting)
        await client.open()
        for _ in range(2):
            async with client.send(request, Deadlines()) as response:
                assert await response.read() == b"secret"
        assert len(asked) == 2
        await client.close()


async def test_a_certificate_nobody_vouches_for_is_not_spoken_to(tmp_path):
    async with tls_vendor(tmp_path) as (request, _, asked):
        client = UpstreamClient(2, LOOPBACK)
        await client.open()
        with pytest.raises(UpstreamUnreachable) as failure:
            async with client.send(request, SHORT):
                pass
        assert failure.value.code == "upstream_unreachable"
        assert asked == []
        await client.close()
