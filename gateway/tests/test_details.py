"""`x-orchestrator-details: true`: what an answer took, told with it, and no client is troubled by it."""

import asyncio
import contextlib
import json
from typing import Any

import anthropic
import openai
import pytest

from common.money import usd_from_nano
from gateway.edge.details import before_last_event
from gateway.tests.conftest import MESSAGES, body, settlements
from gateway.tests.stage import listening, make_services
from providers.actions.credentials import set_credential
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider, delete_provider
from providers.actions.routes import create_route

ASKING = {"x-orchestrator-details": "true"}
TOLD = ("x-orchestrator-provider", "x-orchestrator-cost-usd", "x-orchestrator-charge-nano")


@pytest.fixture
def routes(own_tenant):
    create_route(owner=own_tenant.tenant, name="kept", targets=["mock/plain"], policy={"cache": {"ttl_seconds": 60}})
    return own_tenant


def usd(nano):
    return f"{usd_from_nano(nano):f}"


def comment_in(text):
    """What the one comment says, and what comes after it."""
    [comment] = [event for event in text.split(b"\n\n") if event.startswith(b": orchestrator ")]
    after = text.partition(comment)[2].strip().split(b"\n\n")
    return json.loads(comment.removeprefix(b": orchestrator ")), after


async def test_who_does_not_ask_is_told_nothing(gateway, tenant):
    for stream in (False, True):
        async with gateway.post(tenant.key, body(stream=stream)) as response:
            assert b"orchestrator" not in await response.read()
        assert not [name for name in TOLD if name in response.headers]


async def test_a_whole_answer_tells_what_is_settled(gateway, tenant):
    async with gateway.post(tenant.key, body(), headers=ASKING) as response:
        answer = await response.json()
    request_id = response.headers["x-request-id"]
    [row] = await settlements(gateway, request_id)
    assert response.headers["x-orchestrator-provider"] == "mock"
    assert response.headers["x-orchestrator-cost-nano"] == str(row["cost_nano"])
    assert response.headers["x-orchestrator-cost-usd"] == usd(row["cost_nano"])
    # The provider is the tenant's own: it takes the cost, and we nothing.
    assert response.headers["x-orchestrator-charge-nano"] == "0"
    assert answer.pop("orchestrator") == {
        "provider": "mock",
        "model": "mock/plain",
        "request_id": request_id,
        "attempts": 1,
        "cache": "off",
        "cost_usd": usd(row["cost_nano"]),
        "charge_usd": "0.000000000",
    }
    assert row["cost_nano"] > 0
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_at_a_provider_of_the_platform_the_charge_has_its_mark_up(upstream, own_tenant):
    name = f"details-{own_tenant.tenant.slug}"

    def make():
        made = create_provider(owner=None, name=name, base_url=f"{upstream.url}/v1", mark_up_basis_points=250)
        set_credential(owner=None, provider_id=made, secret="sk-upstream-secret")
        rated = ModelOffer(name="plain", input_nano_per_mtok=1_000_000_001, output_nano_per_mtok=3_000_000_007)
        offer_models(owner=None, provider_id=made, offers=[rated])
        return made

    made = await asyncio.to_thread(make)
    try:
        async with (
            listening(make_services()) as gateway,
            gateway.post(own_tenant.key, body(model=f"{name}/plain"), headers=ASKING) as response,
        ):
            assert response.status == 200
            [row] = await settlements(gateway, response.headers["x-request-id"])
    finally:
        await asyncio.to_thread(delete_provider, owner=None, provider_id=made)
    assert response.headers["x-orchestrator-cost-nano"] == str(row["cost_nano"])
    assert response.headers["x-orchestrator-charge-nano"] == str(row["charge_nano"])
    assert row["charge_nano"] > row["cost_nano"] > 0


async def test_attempts_that_failed_are_counted_and_cost_nothing(gateway, tenant):
    async with gateway.post(tenant.key, body(model="after-mock-500"), headers=ASKING) as response:
        told = (await response.json())["orchestrator"]
    rows = await settlements(gateway, response.headers["x-request-id"], 2)
    assert (told["attempts"], told["model"]) == (2, "spare/plain")
    assert told["cost_usd"] == usd(rows[-1]["cost_nano"])
    assert [row["charge_nano"] for row in rows] == [0, 0]


async def test_what_was_not_reported_is_left_out(gateway, tenant):
    async with gateway.post(tenant.key, body(stream=True, mock={"usage": False}), headers=ASKING) as response:
        told, _ = comment_in(await response.read())
    assert told["provider"] == "mock"
    assert "cost_usd" not in told


async def test_a_stream_tells_it_before_its_last_event(gateway, tenant):
    async with gateway.post(tenant.key, body(stream=True), headers=ASKING) as response:
        told, after = comment_in(await response.read())
    assert after == [b"data: [DONE]"]
    assert response.headers["x-orchestrator-provider"] == "mock"
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert told["cost_usd"] == usd(row["cost_nano"])


async def test_a_stream_whose_end_is_ours_tells_it_too(gateway, tenant):
    async with gateway.post(tenant.key, body(stream=True, mock={"fault": "no_done"}), headers=ASKING) as response:
        told, after = comment_in(await response.read())
    assert after == [b"data: [DONE]"]
    assert "cost_usd" in told


async def test_who_went_on_with_a_stream_is_told_and_no_amount_that_is_half_known(gateway, own_tenant, upstream):
    def make():
        owner = own_tenant.tenant
        broken, whole = "mock-cut-after-3-chunks-8-pace-3", "mock-none-chunks-8-pace-3"
        for name, model in (("cutter", broken), ("mender", whole)):
            made = create_provider(owner=owner, name=name, base_url=f"{upstream.url}/v1")
            offer_models(owner=owner, provider_id=made, offers=[ModelOffer(name=model)])
        create_route(owner=owner, name="rescued", targets=[f"cutter/{broken}", f"mender/{whole}"])

    await asyncio.to_thread(make)
    async with gateway.post(own_tenant.key, body(model="rescued", stream=True), headers=ASKING) as response:
        told, after = comment_in(await response.read())
    assert after == [b"data: [DONE]"]
    assert response.headers["x-orchestrator-provider"] == "cutter"
    assert (told["provider"], told["attempts"]) == ("mender", 2)
    assert "cost_usd" not in told


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_the_comment_stands_between_events_however_they_are_separated(end):
    assert before_last_event(end.join((b"a", b"b", b"c", b"")), b"|") == end.join((b"a", b"b", b"|c", b""))
    assert before_last_event(b"a" + end, b"|") == b"|a" + end


async def test_a_stream_that_nobody_can_rescue_tells_its_error_alone(gateway, tenant):
    wish = body(stream=True, mock={"fault": "cut", "after": 2, "chunks": 8})
    async with gateway.post(tenant.key, wish, headers=ASKING) as response:
        text = await response.read()
    assert b": orchestrator" not in text
    assert b'"error"' in text.split(b"\n\n")[-2]


async def test_an_answer_that_was_kept_costs_nothing_and_says_so(gateway, routes):
    async with gateway.post(routes.key, body(model="kept"), headers=ASKING) as response:
        first = (await response.json())["orchestrator"]
    await gateway.services.keeping.drain(5)
    async with gateway.post(routes.key, body(model="kept"), headers=ASKING) as response:
        told = (await response.json())["orchestrator"]
    assert first["cache"] == "miss"
    assert (told["cache"], told["attempts"], told["cost_usd"]) == ("hit", 0, "0.000000000")
    assert response.headers["x-orchestrator-cost-nano"] == "0"
    async with gateway.post(routes.key, body(model="kept", stream=True), headers=ASKING) as response:
        told, after = comment_in(await response.read())
    assert told["cache"] == "hit"
    assert after == [b"data: [DONE]"]


async def test_openais_sdk_reads_answers_and_streams_as_ever(gateway, tenant):
    async with openai.AsyncOpenAI(base_url=gateway.url, api_key=tenant.key, default_headers=ASKING) as client:
        asked: Any = {"model": "mock/plain", "messages": MESSAGES}
        whole: Any = await client.chat.completions.create(**asked)
        assert whole.choices[0].message.content
        assert whole.model_extra["orchestrator"]["provider"] == "mock"
        stream: Any = await client.chat.completions.create(**asked, stream=True)
        chunks: Any = [chunk async for chunk in stream]
        assert chunks[-1].choices[0].finish_reason == "stop"
        answer = await client.responses.create(model="mock/plain", input="Hello", store=False)
        assert answer.output_text
        events: list[Any] = [
            event async for event in await client.responses.create(model="mock/plain", input="Hello", stream=True)
        ]
        assert events[-1].type == "response.completed"


async def test_anthropics_sdk_reads_answers_and_streams_as_ever(gateway, tenant):
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            anthropic.AsyncAnthropic(
                base_url=gateway.url.removesuffix("/v1"), api_key=tenant.key, default_headers=ASKING
            )
        )
        asked: Any = {"model": "mock/plain", "max_tokens": 50, "messages": MESSAGES}
        whole: Any = await client.messages.create(**asked)
        assert whole.content[0].text
        assert whole.model_extra["orchestrator"]["model"] == "mock/plain"
        stream = await stack.enter_async_context(client.messages.stream(**asked))
        streamed: Any = await stream.get_final_message()
        assert streamed.content[0].text == whole.content[0].text
