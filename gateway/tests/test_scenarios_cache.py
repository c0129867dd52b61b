"""Answers that are kept, given again, and never given to anybody else."""

import openai
import pytest

from gateway.tests.conftest import MESSAGES
from gateway.tests.scene import in_database, whole_text
from gateway.tests.stage import eventually
from tenants.actions.api_keys import create_api_key

pytestmark = pytest.mark.asyncio(loop_scope="module")


def outcome(reply):
    return reply.headers.get("x-orchestrator-cache")


async def until_hit(scene, route, **options):
    """The reply of a cache that has taken the answer in, which happens behind the caller."""

    async def hit():
        reply = await scene.ask(route, **options)
        return reply if outcome(reply) == "hit" else None

    found = await eventually(hit)
    assert found
    return found


@pytest.mark.parametrize("stream", [False, True])
async def test_the_same_request_is_answered_once_for_all_processes(scene, stream):
    route = await scene.route("first/plain", cache={})
    options = {"stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}
    asked = await scene.ask(route, **options)
    assert outcome(asked) == "miss"
    await until_hit(scene, route, **options)
    for reply in await scene.ask_each(route, **options):
        assert (outcome(reply), reply.text) == ("hit", whole_text())
        assert scene.seen(reply) == []
        assert reply.headers["x-orchestrator-model"] == scene.name("first/plain")
        if not stream:
            assert reply.answer["choices"][0]["message"] == asked.answer["choices"][0]["message"]
            assert reply.answer["model"] == asked.answer["model"]
        record = await scene.record(reply)
        assert (record["outcome"], record["cache"], record["attempts"]) == ("cached", "hit", [])
        assert record["details"]["saved_cost_nano"] > 0
    record = await scene.record(asked)
    assert (record["outcome"], record["cache"]) == ("answered", "stored")


async def test_an_answer_is_replayed_as_a_stream_and_a_stream_as_an_answer(scene):
    route = await scene.route("first/plain", cache={})
    streamed = await scene.route("second/plain", name="streamed", cache={})
    await scene.ask(route)
    await until_hit(scene, route)
    await scene.ask(streamed, stream=True, stream_options={"include_usage": True})
    await until_hit(scene, streamed, stream=True, stream_options={"include_usage": True})
    for gateway in scene.gateways:
        async with openai.AsyncOpenAI(base_url=gateway.url, api_key=scene.tenant.key, max_retries=0) as client:
            async with client.chat.completions.stream(model=route, messages=MESSAGES) as stream:
                final = await stream.get_final_completion()
            raw = await client.chat.completions.with_raw_response.create(model=streamed, messages=MESSAGES)
        whole = raw.parse()
        assert raw.headers["x-orchestrator-cache"] == "hit"
        for completion in (final, whole):
            assert completion.choices[0].message.content == whole_text()
            assert completion.choices[0].finish_reason == "stop"
        assert whole.usage is not None


async def test_what_differs_or_asks_for_it_goes_past_the_cache(scene):
    route = await scene.route("first/plain", cache={})
    await scene.ask(route)
    await until_hit(scene, route)
    for number, gateway in enumerate(scene.gateways):
        other = await scene.ask(route, gateway=gateway, seed=number)
        assert outcome(other) == "miss"
        for directive in ("no-cache", "max-age=0", "no-store"):
            reply = await scene.ask(route, gateway=gateway, headers={"cache-control": directive})
            assert (outcome(reply), len(scene.seen(reply))) == ("bypass", 1)
    fresh = await scene.route("second/plain", name="fresh", cache={})
    for _ in range(3):
        await scene.ask(fresh, headers={"cache-control": "no-store"})
    for gateway in scene.gateways:
        await gateway.services.keeping.drain(1)
    assert outcome(await scene.ask(fresh)) == "miss"


async def test_without_a_rule_nothing_is_kept_or_told(scene):
    route = await scene.route("first/plain")
    for reply in [*await scene.ask_each(route), *await scene.ask_each(route)]:
        assert (outcome(reply), len(scene.seen(reply))) == (None, 1)


@pytest.mark.parametrize("fault", ["cut", "no_finish", "error_event", "malformed", "stall-seconds-5", "filtered"])
async def test_what_did_not_end_well_is_not_kept(scene, fault):
    route = await scene.route(f"first/mock-{fault}-pace-3", cache={}, mid_stream="error", retries=0)
    for _ in scene.gateways:
        for reply in await scene.ask_each(route, stream=True):
            assert outcome(reply) in ("miss", None)
            assert len(scene.seen(reply)) == 1


async def test_an_answer_of_two_halves_is_not_kept(scene):
    route = await scene.route("first/mock-cut-pace-3", "spare/plain", cache={})
    for _ in range(2):
        for reply in await scene.ask_each(route, stream=True):
            assert (outcome(reply), reply.text) == ("miss", whole_text())
            assert len(scene.seen(reply)) == 2


async def test_a_hit_is_for_nobody_who_may_not_use_the_route(scene):
    route = await scene.route("first/plain", cache={})
    await scene.ask(route)
    await until_hit(scene, route)
    narrow = await in_database(
        lambda: create_api_key(tenant=scene.tenant.tenant, name="narrow", allowed_models=["something-else"])
    )
    for reply in await scene.ask_each(route, key=narrow.text):
        assert reply.status in (403, 404)
        assert whole_text().encode() not in reply.body


async def test_charlie_never_gets_what_was_kept_for_another_tenant(scene, cast):
    """Of a route of the platform's, which both may ask."""
    scene.owner = None
    route = await scene.route("first/plain", cache={})
    await scene.ask(route)
    await until_hit(scene, route)
    for reply in (await scene.ask_each(route, key=cast.globex.key))[:1]:
        assert (outcome(reply), len(scene.seen(reply))) == ("miss", 1)
