"""Targets that are busy, credentials that are used up, a primary that comes and goes; and what is told of it all."""

import asyncio
import itertools
import time

import pytest

from gateway.tests.scene import whole_text
from gateway.tests.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW = "first/mock-delay-seconds-0.15"


async def until_all_are_known(scene):
    """Each process divides what a provider takes at once by how many of them there are."""

    def known():
        return all(each.services.board.live_processes == len(scene.gateways) for each in scene.gateways)

    assert await eventually(known)


async def test_who_finds_no_place_waits_for_one(scene):
    await scene.provider("first", most_at_once=2, first_byte_seconds=5.0)
    route = await scene.route(SLOW, queue_seconds=5)
    await until_all_are_known(scene)
    warm = await scene.ask_each(route)
    replies = await asyncio.gather(*(scene.ask(route) for _ in range(6)))
    assert {reply.text for reply in [*warm, *replies]} == {whole_text()}
    spans = [span(scene, reply) for reply in replies]
    assert max(sum(begun <= at < ended for begun, ended in spans) for at, _ in spans) <= 2
    assert max(reply.seconds for reply in replies) > 0.4


def span(scene, reply):
    [begun] = scene.upstream.lines(reply.request_id, "received")
    [ended] = scene.upstream.lines(reply.request_id, "ended")
    # The provider notes an end just after the caller has the answer.
    return begun["at"], ended["at"] - 0.02


async def test_a_busy_target_is_passed_over_for_one_with_a_place(scene):
    await scene.provider("first", most_at_once=1, first_byte_seconds=5.0)
    route = await scene.route(SLOW, "spare/plain")
    await until_all_are_known(scene)
    for gateway in scene.gateways:
        await scene.ask(route, gateway=gateway)
        replies = await asyncio.gather(*(scene.ask(route, gateway=gateway) for _ in range(4)))
        names = sorted(reply.headers["x-orchestrator-model"].partition("/")[0] for reply in replies)
        assert names == [scene.name("first"), *[scene.name("spare")] * 3]
        record = await scene.record(next(each for each in replies if each.seconds < 0.14))
        assert [(each["verdict"], each["reason"]) for each in record["considered"]] == [
            ("skipped", "busy"),
            ("chosen", "priority"),
        ]


async def test_who_waited_too_long_is_told_to_come_again(scene):
    await scene.provider("first", most_at_once=1, first_byte_seconds=5.0)
    route = await scene.route("first/mock-delay-seconds-0.8", queue_seconds=0.1)
    impatient = await scene.route("first/mock-delay-seconds-0.8", name="impatient", queue_seconds=0)
    await until_all_are_known(scene)
    for gateway in scene.gateways:
        running = asyncio.create_task(scene.ask(route, gateway=gateway))
        [key] = await eventually(lambda asked=gateway: busy_keys(asked))
        assert gateway.services.places.taken(key) == 1
        for name in (route, impatient):
            reply = await scene.ask(name, gateway=gateway)
            assert (reply.status, reply.error["code"]) == (503, "targets_busy")
            assert int(reply.headers["retry-after"]) >= 1
            assert scene.seen(reply) == []
        assert (await running).text == whole_text()
        assert gateway.services.places.taken(key) == 0


def busy_keys(gateway):
    return [key for key, slots in gateway.services.places._slots.items() if slots.taken]


async def test_the_interactive_are_served_before_the_batch(scene):
    await scene.provider("first", most_at_once=1, first_byte_seconds=5.0)
    route = await scene.route(SLOW)
    await until_all_are_known(scene)
    gateway = scene.gateways[-1]
    await scene.ask(route, gateway=gateway)

    def ask(priority):
        return asyncio.create_task(
            scene.ask(route, gateway=gateway, headers={"x-orchestrator-priority": priority}), name=priority
        )

    first = ask("interactive")
    [key] = await eventually(lambda: busy_keys(gateway))
    batch = [ask("batch") for _ in range(2)]
    assert await eventually(lambda: gateway.services.places.waiting(key) == 2)
    urgent = ask("interactive")
    replies = await asyncio.gather(first, *batch, urgent)
    begun = [scene.seen(reply)[0]["at"] for reply in replies]
    assert begun[0] < begun[3] < min(begun[1:3])
    wrong = await scene.ask(route, headers={"x-orchestrator-priority": "now"})
    assert (wrong.status, wrong.error["param"]) == (400, "x-orchestrator-priority")


async def test_a_credential_that_is_used_up_gives_way_to_the_next_for_all_processes(scene):
    await scene.provider("first", secrets=("sk-one", "sk-two"), limits=(2, None))
    route = await scene.route("first/plain")
    replies = [await scene.ask(route) for _ in range(6)]
    assert {reply.text for reply in replies} == {whole_text()}
    used = [scene.seen(reply)[0]["credential"] for reply in replies]
    assert used.count(used[0]) == 2
    assert len(set(used)) == 2


async def test_when_all_credentials_are_used_up_the_caller_is_told_when_to_come_again(scene):
    await scene.provider("first", limits=(1,))
    route = await scene.route("first/plain", retries=0)
    assert (await scene.ask(route)).status == 200
    for reply in await scene.ask_each(route):
        assert (reply.status, reply.error["code"]) == (429, "rate_limit_exceeded")
        assert int(reply.headers["retry-after"]) >= 1
        assert scene.seen(reply) == []


async def test_while_the_primary_flaps_the_spare_answers_and_the_primary_is_soon_back(scene):
    primary = f"none{scene.name('')}"
    route = await scene.route(f"first/{primary}", "spare/plain")
    await scene.ask_each(route)
    await scene.down(primary, 3.0)
    began, replies = time.time(), []
    while time.time() < began + 3.0:
        replies += [await scene.ask(route), await scene.ask(route)]
        await asyncio.sleep(0.1)
    assert {reply.text for reply in replies} == {whole_text()}
    asked = sorted(line["at"] for reply in replies for line in scene.seen(reply) if line["model"] == primary)
    down = [at for at in asked if at < began + 3.0]
    # Until a circuit opens five calls fail, at each process; then each interval of about 1, 2 and 4 s has one probe.
    to_open = 5 * len(scene.gateways)
    assert len(down) <= to_open + 3
    probes = down[to_open:]
    assert all(later - earlier > 0.7 for earlier, later in itertools.pairwise(probes))

    async def back():
        return scene.models_seen(await scene.ask(route)) == [primary]

    for _ in scene.gateways:
        assert await eventually(back, seconds=5.0)
    assert time.time() - began < 8.5


@pytest.mark.parametrize("stream", [False, True])
async def test_the_record_of_a_failover_tells_who_was_asked_why_and_when(scene, stream):
    await scene.provider("second", first_byte_seconds=0.2)
    route = await scene.route("first/mock-503", "second/mock-silent-seconds-5", "third/plain", "fourth/plain")
    for reply in await scene.ask_each(route, stream=stream):
        await scene.settled(reply, 3)
        record = await scene.record(reply)
        names = [scene.name(each) for each in ("first/mock-503", "second/mock-silent-seconds-5", "third/plain")]
        assert (record["route"], record["strategy"], record["outcome"]) == (route, "priority", "answered")
        assert (record["answered_by"], record["model"], record["stream"]) == (names[2], route, stream)
        assert [(each["target"], each["verdict"]) for each in record["considered"]] == [
            (names[0], "tried"),
            (names[1], "tried"),
            (names[2], "chosen"),
            (scene.name("fourth/plain"), "not_needed"),
        ]
        tried = record["attempts"]
        assert [(each["target"], each["why"], each["outcome"], each["error_code"]) for each in tried] == [
            (names[0], "first", "failed", "upstream_unavailable"),
            (names[1], "failover", "failed", "upstream_timeout"),
            (names[2], "failover", "completed", None),
        ]
        assert [each["status"] for each in tried] == [503, None, 200]
        moments = [moment for each in tried for moment in (each["start_ms"], each["end_ms"])]
        assert moments == sorted(moments)
        assert 190 <= tried[1]["end_ms"] - tried[1]["start_ms"] < 400
        assert tried[2]["start_ms"] <= tried[2]["first_chunk_ms"] <= tried[2]["end_ms"] <= record["duration_ms"]
        assert tried[2]["cost_nano_usd"] > 0
