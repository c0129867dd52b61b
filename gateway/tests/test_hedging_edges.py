"""Hedges that a route allows to none of its requests."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("percent", "asked"), [(0, ["mock-slow-seconds-0.2"]), (10, ["mock-slow-seconds-0.2", "plain"])]
)
async def test_at_most_that_share_of_the_requests_is_hedged(scene, percent, asked):
    route = await scene.route("slow/mock-slow-seconds-0.2", "spare/plain", hedge={"after_ms": 20, "percent": percent})
    for reply in await scene.ask_each(route, stream=True):
        assert reply.status == 200
        assert scene.models_seen(reply) == asked
