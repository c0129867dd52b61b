"""Bodies that come slowly or in bulk: they end, they keep no place from others, and they are counted."""

import asyncio
import json
from uuid import uuid4

import pytest

from common.errors import RateLimited, Unavailable
from gateway.bodies import FEWEST_IN_PIECES, Bodies, Held
from gateway.tests.conftest import body
from gateway.tests.stage import eventually, listening, make_services


async def half_sent(gateway, key) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A completion whose body stops in the middle."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.split(":")[2].split("/")[0]))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n".encode() + b'{"model": ')
    return reader, writer


async def status(gateway, key) -> int:
    async with gateway.post(key, body()) as response:
        await response.read()
        return int(response.status)


async def test_a_body_that_does_not_end_is_given_up(tenant):
    async with listening(make_services(limits={"body_timeout": 0.3})) as gateway:
        reader, writer = await half_sent(gateway, tenant.key)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 408")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
        assert gateway.services.bodies.bytes == 0


async def test_bodies_that_come_slowly_keep_no_place_from_a_completion(tenant):
    async with listening(make_services(limits={"most_at_once": 1})) as gateway:
        slow = [await half_sent(gateway, tenant.key) for _ in range(3)]
        await eventually(lambda: sum(gateway.services.bodies.in_pieces_of.values()) == 3)
        assert await status(gateway, tenant.key) == 200
        for _, writer in slow:
            writer.close()
        assert await eventually(lambda: not gateway.services.bodies.in_pieces_of)


async def test_a_tenant_may_have_so_many_bodies_in_pieces_and_no_more(tenant, own_tenant):
    async with listening(make_services(limits={"most_at_once": 1})) as gateway:
        slow = [await half_sent(gateway, tenant.key) for _ in range(FEWEST_IN_PIECES)]
        await eventually(lambda: sum(gateway.services.bodies.in_pieces_of.values()) == FEWEST_IN_PIECES)
        reader, writer = await half_sent(gateway, tenant.key)
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 429")
        slow.append((reader, writer))
        slow.append(await half_sent(gateway, own_tenant.key))
        assert await eventually(lambda: len(gateway.services.bodies.in_pieces_of) == 2)
        for _, each in slow:
            each.close()
        assert await eventually(lambda: not gateway.services.bodies.bytes)


async def test_a_completion_holds_its_body_to_its_end(tenant):
    async with listening(make_services(limits={"most_bytes_of_bodies": 0, "most_body_bytes": 1_000})) as gateway:
        long = body(messages=[{"role": "user", "content": "x" * 700}], mock={"fault": "delay", "seconds": 0.5})
        first = asyncio.create_task(begun(gateway, tenant.key, long))
        await eventually(lambda: gateway.services.running.count == 1)
        assert await begun(gateway, tenant.key, long) == 429
        assert await first == 200
        assert await begun(gateway, tenant.key, long) == 200


async def begun(gateway, key, wish) -> int:
    async with gateway.post(key, wish) as response:
        await response.read()
        return int(response.status)


def test_a_tenant_has_half_of_the_bytes_and_all_have_no_more_than_there_are():
    bodies = Bodies(most_in_pieces=1, most_bytes=100)
    tenants = [uuid4() for _ in range(3)]
    with Held(bodies, tenants[0]) as one, Held(bodies, tenants[1]) as two, Held(bodies, tenants[2]) as three:
        one.add(30)
        with pytest.raises(RateLimited), Held(bodies, tenants[0]) as more:
            more.add(21)
        one.add(20)
        two.add(49)
        with pytest.raises(Unavailable):
            three.add(2)
        three.add(1)
    assert (bodies.bytes, bodies.bytes_of) == (0, {})
