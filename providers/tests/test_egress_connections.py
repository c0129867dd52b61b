"""What is judged is what is connected to."""

import asyncio

import httpx2
import pytest

from common.errors import UpstreamUnreachable
from providers.client import UpstreamClient
from providers.client.discovery import list_models
from providers.client.pinned import pinned_client
from providers.client.probe import probe
from providers.egress.policy import AddressRefused, EgressPolicy, parsed_policy
from providers.egress.resolver import KEPT_SECONDS, MOST_HOSTS, UNKNOWN_KEPT_SECONDS, Resolver
from providers.tests.faulty_vendor import SHORT, answers, sized, vendor
from providers.wire.shapes import UpstreamRequest

LOOPBACK = parsed_policy(("127.0.0.0/8",))


class Names:
    """A name service that gives its answers in turn, the last one for ever."""

    def __init__(self, *answers_):
        self.answers = list(answers_)
        self.asked = []

    async def __call__(self, host):
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def post(client, port, host="api.example.com", scope="tenant"):
    request = UpstreamRequest(url=f"http://{host}:{port}/v1", headers=(), body=b"{}", stream=False)
    return client.send(request, SHORT, (), scope)


async def opened(names, policy=LOOPBACK, now=None):
    client = UpstreamClient(4, Resolver(policy, names, now or Clock()).places)
    await client.open()
    return client


@pytest.mark.parametrize(
    "found", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1", "::1"], ["::ffff:10.0.0.1"]]
)
async def test_one_address_inside_spoils_the_answer(found):
    with pytest.raises(AddressRefused):
        await Resolver(EgressPolicy(), Names(found)).places("api.example.com", "tenant")
    client = await opened(Names(found), EgressPolicy())
    with pytest.raises(UpstreamUnreachable) as failure:
        async with post(client, 80):
            pass
    assert failure.value.code == "upstream_unreachable"
    assert "10.0.0.1" not in failure.value.message
    await client.close()


async def test_the_connection_is_to_the_address_and_the_request_to_the_name():
    async with vendor(answers(sized(b"one"))) as made:
        client = await opened(Names(["127.0.0.1"]))
        async with post(client, made.port) as response:
            assert await response.read() == b"one"
        assert f"host: api.example.com:{made.port}".encode() in made.requests[0][0]
        await client.close()


async def test_a_name_that_changes_its_mind_is_asked_once_for_each_judgement():
    """Rebinding: first an address that passes, then one inside. What passed is what is connected to."""
    async with vendor(answers(sized(b"one"), close=True)) as made:
        names, clock = Names(["127.0.0.1"], ["10.0.0.1"]), Clock()
        client = await opened(names, LOOPBACK, clock)
        async with post(client, made.port) as response:
            assert await response.read() == b"one"
        assert names.asked == ["api.example.com"]
        client._pool and client._pool.close()
        clock.now += KEPT_SECONDS + 1
        with pytest.raises(UpstreamUnreachable):
            async with post(client, made.port):
                pass
        assert made.connections == 1
        await client.close()


async def test_a_connection_that_is_open_asks_nobody():
    async with vendor(answers(sized(b"one"))) as made:
        names, clock = Names(["127.0.0.1"], OSError()), Clock()
        client = await opened(names, LOOPBACK, clock)
        for _ in range(3):
            async with post(client, made.port) as response:
                await response.read()
            clock.now += KEPT_SECONDS + 1
        assert len(names.asked) == made.connections == 1
        await client.close()


async def test_a_tenant_does_not_ride_on_the_platforms_connection():
    async with vendor(answers(sized(b"one"))) as made:
        client = await opened(Names(["127.0.0.1"]), EgressPolicy())
        async with post(client, made.port, scope="platform") as response:
            await response.read()
        with pytest.raises(UpstreamUnreachable):
            async with post(client, made.port):
                pass
        assert made.connections == 1
        await client.close()


async def test_the_next_address_is_tried_when_one_does_not_answer():
    async with vendor(answers(sized(b"one"))) as made:
        client = await opened(Names(["127.0.0.2", "127.0.0.1"]))
        async with post(client, made.port) as response:
            assert await response.read() == b"one"
        await client.close()


async def test_answers_are_kept_for_a_while_and_failures_for_a_shorter_one():
    names, clock = Names(OSError(), ["127.0.0.1"], ["127.0.0.2"]), Clock()
    places = Resolver(LOOPBACK, names, clock).places
    for _ in range(2):
        with pytest.raises(OSError, match="no address"):
            await places("a.example", "tenant")
    assert len(names.asked) == 1
    clock.now += UNKNOWN_KEPT_SECONDS
    assert await places("a.example", "tenant") == await places("a.example", "tenant") == ("127.0.0.1",)
    assert KEPT_SECONDS <= 60
    clock.now += KEPT_SECONDS
    assert await places("a.example", "tenant") == ("127.0.0.2",)


async def test_those_who_ask_at_once_share_an_answer_and_one_who_gives_up_does_not_take_it_along():
    answer = asyncio.Event()
    asked = []

    async def slow(host):
        asked.append(host)
        await answer.wait()
        return ("127.0.0.1",)

    places = Resolver(LOOPBACK, slow).places
    first, second = (asyncio.create_task(places("a.example", "tenant")) for _ in range(2))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.shield(first)
    first.cancel()
    answer.set()
    assert await second == ("127.0.0.1",)
    assert asked == ["a.example"]


async def test_the_memory_of_names_is_bounded():
    resolver = Resolver(LOOPBACK, Names(["127.0.0.1"]))
    for number in range(MOST_HOSTS + 10):
        await resolver.places(f"h{number}.example", "tenant")
    assert len(resolver._kept) == MOST_HOSTS


async def test_a_redirect_is_an_answer_and_is_not_followed():
    moved = sized(b"", "302 Found", b"Location: http://169.254.169.254/\r\n")
    async with vendor(answers(moved)) as made:
        client = await opened(Names(["127.0.0.1"]))
        async with post(client, made.port) as response:
            assert response.status == 302
        await client.close()


class Listener:
    """Answers GETs with one answer and keeps what was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.heads = []

    async def __call__(self, reader, writer):
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


async def test_control_plane_calls_go_to_the_judged_address_under_the_name_and_follow_nothing():
    listener = Listener(sized(b"", "302 Found", b"Location: http://127.0.0.1/inside\r\nConnection: close\r\n"))
    server = await asyncio.start_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    names = Names(["127.0.0.2", "127.0.0.1"])
    async with pinned_client(Resolver(LOOPBACK, names).places, "tenant", seconds=2) as client:
        answer = await client.get(f"http://api.example.com:{port}/v1/models")
    server.close()
    assert answer.status_code == 302
    assert str(answer.request.url) == f"http://api.example.com:{port}/v1/models"
    assert f"Host: api.example.com:{port}".encode() in listener.heads[0]
    assert len(listener.heads) == len(names.asked) == 1


async def test_control_plane_calls_to_a_place_inside_are_not_made():
    listener = Listener(sized(b"{}"))
    server = await asyncio.start_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    places = Resolver(EgressPolicy(), Names(["127.0.0.1"])).places
    async with pinned_client(places, "tenant", seconds=2) as client:
        for host in ("api.example.com", "127.0.0.1", "[::ffff:7f00:1]", "2130706433"):
            with pytest.raises((httpx2.ConnectError, httpx2.InvalidURL)):
                await client.get(f"http://{host}:{port}/")
    assert (await probe(f"http://api.example.com:{port}", (), places, "tenant")).error == "unreachable"
    with pytest.raises(UpstreamUnreachable):
        await asyncio.to_thread(list_models, f"http://127.0.0.1:{port}", places, "tenant")
    server.close()
    assert listener.heads == []
