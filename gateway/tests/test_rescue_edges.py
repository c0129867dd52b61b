"""Streams that others go on with, where that takes long or leaves little to go on with."""

import asyncio

import pytest

from gateway.tests.scene import whole_text
from gateway.tests.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_says_again_what_was_said_is_not_taken_for_silent(scene):
    """The second target needs six times its deadline to get to anything new."""
    route = await scene.route(
        "first/mock-cut-after-7-chunks-8",
        "spare/mock-none-chunks-8-pace-60",
        mid_stream="restart",
        retries=0,
        deadlines={"first_chunk": 0.1},
    )
    for reply in await scene.ask_each(route, stream=True):
        assert reply.text == whole_text(8)
        first, second = (await scene.record(reply))["attempts"]
        assert (first["outcome"], second["outcome"]) == ("cut", "completed")
        # It began to answer long before it had anything that was news.
        assert second["first_chunk_ms"] - second["start_ms"] < 200


async def test_an_answer_anew_is_counted_whole_where_nobody_reports_its_usage(scene):
    route = await scene.route("first/mock-cut-after-4-chunks-5", "spare/plain", mid_stream="restart", retries=0)
    for reply in await scene.ask_each(route, stream=True, mock={"usage": False}):
        assert reply.text == whole_text(5)
        _, second = await scene.settled(reply, 2)
        assert second["output_tokens"] >= 5


async def test_what_is_held_back_has_its_place_in_the_room_for_answers(scene):
    route = await scene.route("slow/mock-none-chunks-8-pace-50", mid_stream="buffer")
    for gateway in scene.gateways:
        taps = gateway.services.taps
        asking = asyncio.create_task(scene.ask(route, gateway=gateway, stream=True))
        assert await eventually(lambda taps=taps: taps.held > 500)
        assert (await asking).text == whole_text(8)
        assert await eventually(lambda taps=taps: taps.held == 0)


async def test_where_the_room_is_full_no_more_is_held_back(scene, monkeypatch):
    route = await scene.route("first/mock-cut-after-6-chunks-8-pace-20", "spare/plain", mid_stream="buffer", retries=0)
    for gateway in scene.gateways:
        monkeypatch.setattr(gateway.services.taps, "most_bytes", 700)
        reply = await scene.ask(route, gateway=gateway, stream=True)
        assert "error" in reply.events[-1]
        assert len(scene.seen(reply)) == 1
        assert await eventually(lambda gateway=gateway: gateway.services.taps.held == 0)
        monkeypatch.undo()
        assert (await scene.ask(route, gateway=gateway, stream=True)).text == whole_text(5)
