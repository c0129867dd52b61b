"""Shadows keep to the limits that bind everybody else's calls."""

import pytest

from gateway.tests.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW = "mock-delay-seconds-0.6"


async def shadowed(scene, gateway, count, **provider):
    """How many of so many requests were sent to a shadow as well."""
    await scene.provider("shadow", first_byte_seconds=5.0, **provider)
    route = await scene.route("first/plain", shadow={"target": f"shadow/{SLOW}"})
    replies = [await scene.ask(route, gateway=gateway) for _ in range(count)]
    assert {reply.status for reply in replies} == {200}
    assert await eventually(lambda: sum(SLOW in scene.models_seen(reply) for reply in replies))
    # Those that were begun end in the ledger, and no others come after them.
    await scene.settled(next(reply for reply in replies if SLOW in scene.models_seen(reply)), 2)
    return [SLOW in scene.models_seen(reply) for reply in replies]


async def test_where_all_places_are_taken_there_is_no_shadow(scene):
    gateway = scene.gateways[0]
    assert await shadowed(scene, gateway, 3, most_at_once=1) == [True, False, False]
    key = f"t:{scene.owner.id.hex}/{scene.name('shadow')}"
    assert await eventually(lambda: gateway.services.places.taken(key) == 0)


async def test_where_the_credential_is_used_up_there_is_no_shadow(scene):
    assert await shadowed(scene, scene.gateways[0], 3, limits=[2]) == [True, True, False]


async def test_a_tenant_has_ten_of_them_at_most(scene):
    assert sum(await shadowed(scene, scene.gateways[0], 12)) == 10
