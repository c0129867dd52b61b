"""What goes wrong before the first byte: what callers got, and what the providers saw of it."""

import asyncio

import pytest

from gateway.tests.scene import whole_text
from gateway.tests.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILS_OVER = ("mock-500", "mock-502", "mock-503", "mock-529", "mock-reset", "mock-garbage", "mock-cut",
              "mock-malformed", "mock-error_event")  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_is_answered_by_the_next_target_at_once(scene, stream):
    faults = [f"{fault}-after-0" for fault in FAILS_OVER]
    routes = [await scene.route(f"p{number}/{fault}", "spare/plain", name=fault) for number, fault in enumerate(faults)]
    replies = {fault: await scene.ask_each(route, stream=stream) for fault, route in zip(faults, routes, strict=True)}
    for fault in faults:
        for reply in replies[fault]:
            assert (reply.status, reply.text) == (200, whole_text()), fault
            assert reply.headers["x-orchestrator-model"] == scene.name("spare/plain")
            assert reply.headers["x-orchestrator-attempts"] == "2"
            assert scene.models_seen(reply) == [fault, "plain"]
            assert max(scene.gaps(reply)) < 0.3
            first, second = await scene.settled(reply, 2)
            assert (first["outcome"], first["charge_nano"], second["outcome"]) == ("failed", 0, "completed")


@pytest.mark.parametrize("fault", ["mock-429", "mock-429-retry-30", "mock-401", "mock-403"])
async def test_a_target_that_is_out_for_long_is_left_alone_by_every_process(scene, fault):
    route = await scene.route(f"first/{fault}", "spare/plain")
    reply = await scene.ask(route)
    assert scene.models_seen(reply) == [fault, "plain"]

    async def left_alone(gateway):
        return scene.models_seen(await scene.ask(route, gateway=gateway)) == ["plain"]

    for gateway in scene.gateways:
        assert await eventually(lambda asked=gateway: left_alone(asked))


@pytest.mark.parametrize("stream", [False, True])
async def test_a_silent_target_is_given_up_at_its_deadline_and_not_asked_again(scene, stream):
    route = await scene.route("first/mock-silent-seconds-5", "spare/plain")
    alone = await scene.route("first/mock-silent-seconds-5", name="alone")
    for reply in await scene.ask_each(route, stream=stream):
        assert reply.text == whole_text()
        assert scene.models_seen(reply) == ["mock-silent-seconds-5", "plain"]
        assert scene.gaps(reply)[0] == pytest.approx(0.4, abs=0.12)
    for reply in await scene.ask_each(alone, stream=stream):
        assert (reply.status, reply.error["code"]) == (504, "upstream_timeout")
        assert len(scene.seen(reply)) == 1


async def test_a_late_first_chunk_has_a_deadline_of_its_own(scene):
    """By the route, or by the request's header, whichever is told last."""
    await scene.provider("first", between_chunks_seconds=5.0)
    patient = await scene.route("first/mock-slow-seconds-0.7", "spare/plain", name="patient")
    hurried = await scene.route(
        "first/mock-slow-seconds-0.7", "spare/plain", name="hurried", deadlines={"first_chunk": 0.2}
    )
    by_header = {"x-orchestrator-deadlines": "first_chunk=0.2"}
    for gateway in scene.gateways:
        waited, by_route, by_request = await asyncio.gather(
            scene.ask(patient, stream=True, gateway=gateway),
            scene.ask(hurried, stream=True, gateway=gateway),
            scene.ask(patient, stream=True, gateway=gateway, headers=by_header),
        )
        assert scene.models_seen(waited) == ["mock-slow-seconds-0.7"]
        for reply in (by_route, by_request):
            assert scene.models_seen(reply) == ["mock-slow-seconds-0.7", "plain"]
            assert scene.gaps(reply)[0] == pytest.approx(0.2, abs=0.1)
        assert {whole_text()} == {reply.text for reply in (waited, by_route, by_request)}


async def test_the_deadlines_of_a_route_and_of_a_header_are_those_of_the_attempt(scene):
    slow = "first/mock-delay-seconds-4"
    await scene.provider("first", first_byte_seconds=9.0)
    usual, strict = await scene.route(slow), await scene.route(slow, name="strict", deadlines={"headers": 0.1})
    for gateway in scene.gateways:
        replies = await asyncio.gather(
            scene.ask(strict, gateway=gateway),
            scene.ask(usual, gateway=gateway, headers={"x-orchestrator-deadlines": "headers=0.1"}),
            scene.ask(usual, gateway=gateway, headers={"x-orchestrator-deadlines": "total=0.1"}),
        )
        for reply in replies:
            assert (reply.status, reply.error["code"]) == (504, "upstream_timeout")
            assert reply.seconds < 2
            assert len(scene.seen(reply)) == 1
    wrong = await scene.ask(usual, headers={"x-orchestrator-deadlines": "headers=soon"})
    assert (wrong.status, wrong.error["param"]) == (400, "x-orchestrator-deadlines")


async def test_a_short_wait_is_kept_at_the_only_target_and_a_long_one_is_told(scene):
    short = await scene.route("first/mock-429-retry-1-attempts-1")
    long = await scene.route("second/mock-429-retry-20", name="long")
    for reply in await asyncio.gather(*(scene.ask(short, gateway=gateway) for gateway in scene.gateways)):
        assert reply.text == whole_text()
        assert 0.99 < scene.gaps(reply)[0] < 1.3
    for reply in await scene.ask_each(long):
        assert (reply.status, reply.error["code"]) == (429, "rate_limit_exceeded")
        assert 15 < int(reply.headers["retry-after"]) <= 20
        assert len(scene.seen(reply)) == 1


async def test_retries_are_as_many_as_the_route_says_with_growing_gaps(scene):
    await scene.provider("first")
    thrice = await scene.route("first/mock-500", retries=3)
    never = await scene.route("second/mock-500", name="never", retries=0)
    reply = await scene.ask(thrice)
    assert (reply.status, len(scene.seen(reply))) == (502, 4)
    assert all(gap <= 0.1 * 2**number + 0.1 for number, gap in enumerate(scene.gaps(reply)))
    for reply in await scene.ask_each(never):
        assert (reply.status, len(scene.seen(reply))) == (502, 1)


async def test_a_tenants_retries_end_when_its_budget_does(scene):
    """Of 30 requests that all fail 10 + 3 may be retried, at each process."""
    routes = [await scene.route(f"p{number}/mock-502", name=f"r{number}", retries=1) for number in range(10)]
    for gateway in scene.gateways:
        replies = [await scene.ask(route, gateway=gateway) for route in routes * 3]
        assert {reply.status for reply in replies} == {502}
        assert sum(len(scene.seen(reply)) - 1 for reply in replies) in (12, 13)


@pytest.mark.parametrize("fault", ["mock-400", "mock-422"])
async def test_what_is_wrong_with_a_request_is_told_after_one_call(scene, fault):
    route = await scene.route(f"first/{fault}", "spare/plain", fallbacks={"any": ["other/plain"]})
    for reply in await scene.ask_each(route):
        assert (reply.status, reply.error["code"]) == (int(fault[-3:]), fault.replace("-", "_"))
        assert scene.models_seen(reply) == [fault]


async def test_a_prompt_that_is_too_long_goes_only_where_more_fits(scene):
    full = "mock-context_length"
    for target, window in (("first", 8_000), ("same", 8_000), ("unknown", None), ("larger", 32_000)):
        await scene.offer(f"{target}/{full if target == 'first' else 'plain'}", context_window=window)
    nowhere = await scene.route(f"first/{full}", "same/plain", "unknown/plain", name="nowhere")
    larger = await scene.route(f"first/{full}", "same/plain", "unknown/plain", "larger/plain", name="larger")
    fallback = await scene.route(
        f"first/{full}", "same/plain", name="fallback", fallbacks={"context_too_long": ["unknown/plain"]}
    )
    for gateway in scene.gateways:
        reply = await scene.ask(nowhere, gateway=gateway)
        assert (reply.status, reply.error["code"]) == (400, "context_length_exceeded")
        assert scene.models_seen(reply) == [full]
        for route, answered in ((larger, "larger/plain"), (fallback, "unknown/plain")):
            reply = await scene.ask(route, gateway=gateway)
            assert (reply.text, scene.models_seen(reply)) == (whole_text(), [full, "plain"])
            assert reply.headers["x-orchestrator-model"] == scene.name(answered)


@pytest.mark.parametrize("fault", ["content_filter", "filtered-chunks-0"])
async def test_refused_content_is_told_in_the_vendors_words_or_goes_to_its_fallback(scene, fault):
    model = f"mock-{fault}"
    final = await scene.route(f"first/{model}", "spare/plain", name="final")
    route = await scene.route(
        f"first/{model}", "spare/plain", fallbacks={"content_refused": [f"second/{model}", "other/plain"]}
    )
    for gateway in scene.gateways:
        for stream in (False, True):
            reply = await scene.ask(final, gateway=gateway, stream=stream)
            assert b"content_filter" in reply.body
            assert scene.models_seen(reply) == [model]
            reply = await scene.ask(route, gateway=gateway, stream=stream)
            # The same model elsewhere would refuse the same content.
            assert (reply.text, scene.models_seen(reply)) == (whole_text(), [model, "plain"])
            assert reply.headers["x-orchestrator-model"] == scene.name("other/plain")


async def test_a_dead_credential_gives_way_to_the_next_of_its_provider(scene):
    await scene.provider("first", secrets=("sk-one", "sk-two"))
    route = await scene.route("first/mock-401-attempts-1", "spare/plain")
    reply = await scene.ask(route, gateway=scene.gateways[0])
    after = await scene.ask(route, gateway=scene.gateways[0], mock={"fault": "none"})
    assert reply.headers["x-orchestrator-model"] == scene.name("first/mock-401-attempts-1")
    one, two = [line["credential"] for line in scene.seen(reply)]
    assert one != two
    assert [line["credential"] for line in scene.seen(after)] == [two]
    record = await scene.record(reply)
    assert [(each["credential"], each["why"]) for each in record["attempts"]] == [
        ("key0", "first"),
        ("key1", "next_credential"),
    ]


async def test_what_a_rule_adds_replaces_the_callers_own(scene):
    rule = {"target": "first/plain", "parameters": {"metadata": {"mock": '{"chunks": 3}'}}}
    route = await scene.route(rule)
    for reply in await scene.ask_each(route, mock={"chunks": 7}):
        assert reply.text == whole_text(3)
