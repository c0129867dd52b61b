"""What is held against a target, and what of a request is never forgotten while it looks for another one."""

import asyncio

import pytest

from gateway.tests.scene import whole_text
from gateway.tests.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW = "mock-delay-seconds-0.3"


async def taken(scene, gateway, *models):
    """Calls that hold the only place of each provider, once they do."""
    running = [asyncio.create_task(scene.ask(scene.name(model), gateway=gateway)) for model in models]

    def held():
        return sum(slots.taken for slots in gateway.services.places._slots.values()) >= len(models)

    assert await eventually(held)
    return running


async def alone(scene):
    def known():
        return all(each.services.board.live_processes == len(scene.gateways) for each in scene.gateways)

    assert await eventually(known)


async def test_who_gives_a_healthy_target_too_little_time_does_not_take_it_from_others(scene):
    route = await scene.route("first/mock-delay-seconds-0.1", "spare/plain")
    for _ in range(6):
        for hurry in ("headers=0.02", "total=0.02"):
            await scene.ask(route, headers={"x-orchestrator-deadlines": hurry})
    for reply in await scene.ask_each(route):
        assert reply.headers["x-orchestrator-model"] == scene.name("first/mock-delay-seconds-0.1")


async def test_a_rejection_is_told_even_where_another_target_is_busy(scene):
    await scene.provider("first", most_at_once=1, first_byte_seconds=5.0)
    await scene.offer(f"first/{SLOW}")
    route = await scene.route("first/plain", "spare/mock-400", queue_seconds=5)
    await alone(scene)
    gateway = scene.gateways[0]
    running = await taken(scene, gateway, f"first/{SLOW}")
    reply = await scene.ask(route, gateway=gateway)
    assert (reply.status, scene.models_seen(reply)) == (400, ["mock-400"])
    await asyncio.gather(*running)


async def test_all_that_were_busy_are_waited_for(scene):
    for name in ("first", "second"):
        await scene.provider(name, most_at_once=1, first_byte_seconds=5.0)
    await scene.offer(f"first/{SLOW}")
    await scene.offer("second/mock-delay-seconds-0.6")
    route = await scene.route("first/mock-503", "second/plain", queue_seconds=5, retries=0)
    await alone(scene)
    gateway = scene.gateways[0]
    running = await taken(scene, gateway, f"first/{SLOW}", "second/mock-delay-seconds-0.6")
    reply = await scene.ask(route, gateway=gateway)
    assert (reply.status, reply.text, scene.models_seen(reply)) == (200, whole_text(), ["mock-503", "plain"])
    await asyncio.gather(*running)
