"""What an attempt is recorded with: whose count is believed, and who pays."""

import asyncio
import contextlib
import json
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from billing.pricing import marked_up
from common.ids import new_id
from gateway.attempt import MOST_HELD
from gateway.metering import Meter
from gateway.settling import charge, completed
from gateway.tests.conftest import INPUT_RATE, OUTPUT_RATE, body, settlements
from gateway.tests.stage import listening, make_services
from providers.actions.credentials import set_credential
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider, delete_provider
from providers.wire.shapes import Chunk, Usage


@pytest.mark.parametrize(
    ("scope", "outcome", "paid"),
    [
        ("platform", "completed", 70),
        ("platform", "aborted", 70),
        ("platform", "cut", 70),
        ("platform", "failed", 0),
        ("tenant", "completed", 0),
        ("tenant", "aborted", 0),
    ],
)
def test_a_tenant_pays_for_what_it_got_and_not_for_what_its_own_provider_bills(scope, outcome, paid):
    assert charge(70, outcome, scope) == paid


@pytest.mark.parametrize(
    ("cost_nano", "basis_points", "paid"),
    [(70, 0, 70), (1_000, 250, 1_025), (100, 50, 100), (300, 50, 302), (10**15, 1, 10**15 + 10**11), (7, 10_000, 14)],
)
def test_a_mark_up_is_added_to_the_cost_and_rounded_half_even(cost_nano, basis_points, paid):
    assert charge(cost_nano, "completed", "platform", basis_points) == paid
    assert charge(cost_nano, "completed", "tenant", basis_points) == 0
    assert charge(cost_nano, "failed", "platform", basis_points) == 0


def test_usage_that_came_before_the_end_is_not_final():
    meter = Meter()
    meter.see(Chunk(raw=b"", text="one", usage=Usage(input_tokens=9, output_tokens=1)))
    assert not meter.usage_is_final
    meter.see(Chunk(raw=b"", finish_reason="stop", finished=True))
    assert not meter.usage_is_final
    meter.see(Chunk(raw=b"", usage=Usage(input_tokens=9, output_tokens=1), finished=True))
    assert meter.usage_is_final


def test_early_usage_is_completed_by_what_we_have_seen():
    early = Usage(input_tokens=9, output_tokens=1, cache_read_tokens=4)
    assert completed(early, Usage(8, 40)) == Usage(input_tokens=9, output_tokens=40, cache_read_tokens=4)
    assert completed(Usage(output_tokens=50), Usage(8, 40)) == Usage(input_tokens=8, output_tokens=50)
    assert completed(early, Usage(8, 1)) == early


@contextlib.asynccontextmanager
async def playing(owner, pieces):
    """A provider `script` of the tenant's whose stream is these pieces, and then breaks off."""

    async def play(request: web.Request) -> web.StreamResponse:
        await request.read()
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        for piece in pieces:
            await answer.write(piece)
        assert request.transport is not None
        request.transport.close()
        return answer

    application = web.Application()
    application.router.add_post("/v1/chat/completions", play)
    server = TestServer(application)
    await server.start_server()

    def equip() -> None:
        provider = create_provider(owner=owner, name="script", base_url=str(server.make_url("/v1")))
        set_credential(owner=owner, provider_id=provider, secret="sk-script")
        offer_models(owner=owner, provider_id=provider, offers=[ModelOffer(name="m")])

    await asyncio.to_thread(equip)
    yield
    await server.close()


def event(content, **more) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": content}}], **more}).encode() + b"\n\n"


async def test_a_stream_that_breaks_off_after_early_usage_is_recorded_with_its_words(gateway, own_tenant):
    early = {"prompt_tokens": 9, "completion_tokens": 1}
    async with playing(own_tenant.tenant, [event("one", usage=early), *[event(" more words")] * 20]):
        async with gateway.post(own_tenant.key, body(model="script/m", stream=True)) as response:
            await response.read()
        [row] = await settlements(gateway, response.headers["x-request-id"])
    assert (row["outcome"], row["usage_source"], row["input_tokens"]) == ("cut", "estimated", 9)
    assert row["output_tokens"] > 20


async def test_comments_without_end_before_the_first_word_are_not_kept(gateway, own_tenant):
    pieces = [b": keep alive\n\n", *[b": " + b"." * 20_000 + b"\n\n"] * 200, event("word")]
    async with playing(own_tenant.tenant, pieces):
        async with gateway.post(own_tenant.key, body(model="script/m", stream=True)) as response:
            text = await response.read()
        await settlements(gateway, response.headers["x-request-id"])
    assert text.startswith(b": keep alive\n\n")
    assert event("word") in text
    # The read that brought the first word is passed on whole.
    assert len(text) < MOST_HELD + 1_000_000


async def test_the_platforms_mark_up_is_charged_and_its_cost_is_kept(upstream, own_tenant):
    name = f"sold-{new_id().hex[-12:]}"

    def sell() -> UUID:
        provider_id = create_provider(owner=None, name=name, base_url=f"{upstream.url}/v1", mark_up_basis_points=250)
        rated = ModelOffer(name="plain", input_nano_per_mtok=INPUT_RATE, output_nano_per_mtok=OUTPUT_RATE)
        offer_models(owner=None, provider_id=provider_id, offers=[rated])
        return provider_id

    provider_id = await asyncio.to_thread(sell)
    try:
        async with listening(make_services()) as gateway:
            async with gateway.post(own_tenant.key, body(model=f"{name}/plain")) as response:
                assert response.status == 200, await response.text()
            [row] = await settlements(gateway, response.headers["x-request-id"])
    finally:
        await asyncio.to_thread(delete_provider, owner=None, provider_id=provider_id)
    assert row["cost_nano"] > 0
    assert row["charge_nano"] == marked_up(row["cost_nano"], 250)
