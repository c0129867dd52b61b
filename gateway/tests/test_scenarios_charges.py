"""What is paid at providers of the platform for attempts whose answers no caller got, or only half of."""

import pytest

from gateway.tests.scene import whole_text

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_of_an_answer_in_two_halves_the_one_that_was_finished_is_charged(scene):
    scene.owner = None
    await scene.offer("spare/plain", capabilities=("prefill",))
    route = await scene.route("first/mock-cut-pace-3", "spare/plain")
    for reply in await scene.ask_each(route, stream=True):
        assert reply.text == whole_text()
        first, second = await scene.settled(reply, 2)
        assert (first["outcome"], first["charge_nano"], second["outcome"]) == ("cut", 0, "completed")
        assert first["cost_nano"] > 0
        assert second["charge_nano"] == second["cost_nano"] > 0


async def test_a_stream_that_was_held_back_and_broke_is_not_charged(scene):
    scene.owner = None
    route = await scene.route("first/mock-cut-pace-3", "spare/plain", mid_stream="buffer")
    alone = await scene.route("first/mock-cut-pace-3", name="alone", mid_stream="buffer", retries=0)
    for reply in await scene.ask_each(route, stream=True):
        first, second = await scene.settled(reply, 2)
        assert (first["charge_nano"], second["outcome"]) == (0, "completed")
    for reply in await scene.ask_each(alone, stream=True):
        assert reply.status == 502
        assert [row["charge_nano"] for row in await scene.settled(reply)] == [0]


async def test_who_loses_a_race_is_not_charged(scene):
    scene.owner = None
    slow = "first/mock-slow-seconds-0.3"
    route = await scene.route(slow, "spare/plain", hedge={"after_ms": 30, "percent": 100})
    for reply in await scene.ask_each(route, stream=True):
        loser, winner = await scene.settled(reply, 2)
        assert (loser["outcome"], loser["charge_nano"]) == ("aborted", 0)
        assert (winner["outcome"], winner["charge_nano"]) == ("completed", winner["cost_nano"])


async def test_an_answer_that_the_provider_cut_for_good_is_not_charged(scene):
    scene.owner = None
    route = await scene.route("first/mock-cut-pace-3", mid_stream="error")
    for reply in await scene.ask_each(route, stream=True):
        [row] = await scene.settled(reply)
        assert (row["outcome"], row["charge_nano"]) == ("cut", 0)
        assert row["cost_nano"] > 0


@pytest.mark.parametrize("mid_stream", ["error", "restart"])
async def test_who_lets_an_answer_be_cut_by_deadlines_of_its_own_pays_as_far_as_it_went(scene, mid_stream):
    scene.owner = None
    route = await scene.route("first/mock-stall-seconds-0.3", mid_stream=mid_stream)
    hurry = {"x-orchestrator-deadlines": "between_chunks=0.1"}
    for reply in await scene.ask_each(route, stream=True, headers=hurry):
        first, *_ = await scene.settled(reply)
        assert (first["outcome"], first["charge_nano"]) == ("cut", first["cost_nano"])
        assert first["output_tokens"] > 0
