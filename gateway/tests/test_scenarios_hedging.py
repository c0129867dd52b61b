"""A second target for a first chunk that is late."""

import asyncio

import pytest

from gateway.tests.scene import whole_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATE = "first/mock-slow-seconds-0.35"


async def test_the_first_chunk_wins_and_the_loser_is_called_off_and_settled(scene):
    route = await scene.route(LATE, "spare/plain", hedge={"after_ms": 60, "percent": 100})
    for stream in (True, False):
        for reply in await scene.ask_each(route, stream=stream):
            assert (reply.text, reply.headers["x-orchestrator-model"]) == (whole_text(), scene.name("spare/plain"))
            assert 0.02 < scene.gaps(reply)[0] < 0.3
            loser, winner = await scene.settled(reply, 2)
            assert (loser["outcome"], winner["outcome"]) == ("aborted", "completed")
            record = await scene.record(reply)
            assert {each["why"]: each["outcome"] for each in record["attempts"]} == {
                "first": "aborted",
                "hedge": "completed",
            }


async def test_who_is_in_time_has_no_rival(scene):
    route = await scene.route("first/plain", "spare/plain", hedge={"after_ms": 300, "percent": 100})
    for reply in await scene.ask_each(route, stream=True):
        assert len(scene.seen(reply)) == 1


async def test_the_first_may_still_win(scene):
    route = await scene.route(
        "first/mock-slow-seconds-0.2", "spare/mock-slow-seconds-0.39", hedge={"after_ms": 30, "percent": 100}
    )
    for reply in await scene.ask_each(route, stream=True):
        assert reply.headers["x-orchestrator-model"] == scene.name("first/mock-slow-seconds-0.2")
        assert len(scene.seen(reply)) == 2
        winner, loser = await scene.settled(reply, 2)
        assert (winner["outcome"], loser["outcome"]) == ("completed", "aborted")


async def test_when_one_of_both_fails_the_other_answers(scene):
    late_failure = "first/mock-silent-seconds-5"
    hedged = await scene.route(late_failure, "spare/mock-slow-seconds-0.2", hedge={"after_ms": 50, "percent": 100})
    failing = await scene.route(
        "first/mock-slow-seconds-0.3", "spare/mock-503", name="failing", hedge={"after_ms": 50, "percent": 100}
    )
    for reply in await scene.ask_each(hedged, stream=True):
        assert (reply.text, len(scene.seen(reply))) == (whole_text(), 2)
    for reply in await scene.ask_each(failing, stream=True):
        assert reply.headers["x-orchestrator-model"] == scene.name("first/mock-slow-seconds-0.3")
        rows = await scene.settled(reply, 2)
        assert {row["outcome"] for row in rows} == {"completed", "failed"}


async def test_when_both_fail_the_first_ones_error_is_told(scene):
    await scene.provider("first", first_byte_seconds=0.2)
    route = await scene.route(
        "first/mock-silent-seconds-5", "spare/mock-503", hedge={"after_ms": 50, "percent": 100}, retries=0
    )
    for reply in await scene.ask_each(route, stream=True):
        assert (reply.status, reply.error["code"]) == (504, "upstream_timeout")
        assert len(scene.seen(reply)) == 2
        assert {row["outcome"] for row in await scene.settled(reply, 2)} == {"failed"}


async def test_hedges_are_a_share_of_the_requests(scene):
    """Ten to begin with, and a tenth of one for each request, at each process."""
    late = "first/mock-slow-seconds-0.12"
    route = await scene.route(late, "spare/mock-slow-seconds-0.12", hedge={"after_ms": 20, "percent": 10})
    for gateway in scene.gateways:
        replies = await asyncio.gather(*(scene.ask(route, stream=True, gateway=gateway) for _ in range(30)))
        assert {reply.text for reply in replies} == {whole_text()}
        assert sum(len(scene.seen(reply)) - 1 for reply in replies) in (12, 13)
