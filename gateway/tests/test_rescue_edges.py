"""Streams that others go on with, where that takes long or leaves little to go on with."""

import pytest

from gateway.tests.scene import whole_text

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
