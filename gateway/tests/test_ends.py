"""Upstreams that break off at their very end, or say first what is no word: the caller gets all of it all the same."""

import asyncio
import contextlib
import json

import pytest

from gateway.tests.conftest import settlements
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from providers.actions.routes import create_route
from tenants import database_threads

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
WORDS = (
    b'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"All of it"}}]}\n\n'
    b'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
)
ERROR = b'data: {"error":{"message":"late","code":500}}\n\n'


@contextlib.asynccontextmanager
async def saying(tenant, said, ended):
    """A provider `late` of the tenant's that says these bytes; without an end, it hangs up in the middle."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"%x\r\n%b\r\n" % (len(said), said) + (b"0\r\n\r\n" if ended else b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await database_threads.run(lambda _: provide(tenant, f"http://127.0.0.1:{port}/v1"), 5)
    async with server:
        yield


def provide(tenant, url):
    provider = create_provider(owner=tenant, name="late", base_url=url, quirks={"unsupported": ["n"]})
    offer_models(owner=tenant, provider_id=provider, offers=[ModelOffer(name="m")])
    create_route(owner=tenant, name="lenient", targets=["late/m"], drop_params=True)


async def posted(gateway, key, path, **fields):
    headers = {"authorization": f"Bearer {key}"}
    async with gateway.session.post(f"{gateway.url}/{path}", json=fields, headers=headers) as response:
        return response, await response.read()


@pytest.mark.parametrize(("said", "ended"), [(WORDS, False), (WORDS + ERROR, True), (WORDS + b"data: {", True)])
async def test_an_answer_that_was_finished_has_its_end_in_the_callers_dialect(gateway, own_tenant, said, ended):
    async with saying(own_tenant.tenant, said, ended):
        response, body = await posted(
            gateway,
            own_tenant.key,
            "messages",
            model="late/m",
            max_tokens=9,
            stream=True,
            messages=[{"role": "user", "content": "x"}],
        )
    kinds = [line.removeprefix(b"event: ") for line in body.split(b"\n") if line.startswith(b"event: ")]
    assert kinds[-3:] == [b"content_block_stop", b"message_delta", b"message_stop"]
    assert b'"stop_reason":"end_turn"' in body
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert (row["outcome"], row["finish_reason"]) == ("completed", "stop")


async def test_pictures_on_the_way_are_not_taken_for_comments(gateway, own_tenant):
    partial = json.dumps({"type": "image_generation.partial_image", "b64_json": "A" * 200_000})
    said = f"data: {partial}\n\ndata: {partial}\n\n".encode() + b'data: {"type":"image_generation.completed"}\n\n'
    async with saying(own_tenant.tenant, said, True):
        response, body = await posted(
            gateway, own_tenant.key, "images/generations", model="late/m", prompt="x", stream=True
        )
    assert response.status == 200
    assert body.startswith(said)


async def test_what_was_left_out_is_told_in_names_that_a_header_can_carry(gateway, own_tenant):
    odd = {f"f{i}": i for i in range(200)} | {"a\r\nset-cookie: b": 1, "ü": 2, "z" * 50_000: 3}
    message = {"role": "user", "content": "x"}
    async with saying(own_tenant.tenant, WORDS, True):
        response, _ = await posted(
            gateway, own_tenant.key, "messages", model="lenient", max_tokens=9, stream=True, messages=[message], **odd
        )
    assert response.status == 200
    assert "set-cookie" not in response.headers
    assert 0 < len(response.headers["x-orchestrator-dropped-params"]) < 6_000


async def test_one_answer_is_all_of_it_where_the_wish_for_more_was_left_out(gateway, own_tenant):
    message = {"role": "user", "content": "x"}
    async with saying(own_tenant.tenant, WORDS + b"data: [DONE]\n\n", True):
        response, body = await posted(
            gateway, own_tenant.key, "chat/completions", model="lenient", n=2, stream=True, messages=[message]
        )
    assert response.headers["x-orchestrator-dropped-params"] == "n"
    assert body.endswith(b"data: [DONE]\n\n")
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert row["outcome"] == "completed"
