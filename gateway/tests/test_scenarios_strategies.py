"""Who is asked first: strategies, sessions, canaries, tags, patterns, and a request's own fallbacks."""

import asyncio
from collections import Counter

import pytest

from gateway.tests.scene import whole_text
from gateway.tests.stage import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


def answered_by(reply):
    return reply.headers["x-orchestrator-model"].partition("/")[0]


async def shares(scene, route, count, **options):
    replies = await asyncio.gather(*(scene.ask(route, **options) for _ in range(count)))
    assert {reply.status for reply in replies} == {200}
    assert all(len(scene.seen(reply)) == 1 for reply in replies)
    return Counter(map(answered_by, replies))


async def test_weights_are_shares_and_what_has_none_is_only_a_spare(scene):
    route = await scene.route(
        {"target": "much/plain", "weight": 3},
        {"target": "little/plain", "weight": 1},
        {"target": "none/plain", "weight": 0},
        strategy="weighted",
    )
    found = await shares(scene, route, 80)
    assert found[scene.name("none")] == 0
    # Less than five standard deviations from a quarter of them.
    assert 1 < found[scene.name("little")] < 40


async def test_round_robin_gives_each_process_one_after_the_other(scene):
    route = await scene.route("one/plain", "two/plain", "three/plain", strategy="round_robin")
    for gateway in scene.gateways:
        order = [answered_by(await scene.ask(route, gateway=gateway)) for _ in range(6)]
        assert order[:3] == order[3:]
        names = [scene.name(name) for name in ("one", "two", "three")]
        turn = names.index(order[0])
        assert order[:3] == [*names[turn:], *names[:turn]]


async def test_a_session_stays_until_its_target_is_ejected_and_comes_back(scene):
    await scene.provider("one", first_byte_seconds=0.4)
    route = await scene.route("one/plain", "two/plain", "three/plain", strategy="round_robin", sticky=True)
    headers = {"x-orchestrator-session": "conversation 7"}
    replies = [await scene.ask(route, headers=headers) for _ in range(6)]
    [home] = {answered_by(reply) for reply in replies}
    others = {
        answered_by(await scene.ask(route, headers={"x-orchestrator-session": str(number)})) for number in range(12)
    }
    assert len(others) > 1

    # Each failing request goes on to the next; after five in a row the circuit opens, and nobody asks there any more.
    provider = next(short for short in ("one", "two", "three") if scene.name(short) == home)
    board = [gateway.services.board for gateway in scene.gateways]
    key = next(each.key for each in board[0].snapshot() if f"/{scene.name(provider)}/" in each.key)
    for each in board:
        for _ in range(5):
            each.began(key).failed("unreachable")
        assert each.circuit(key).state == "open"
    moved = [await scene.ask(route, headers=headers) for _ in range(4)]
    [refuge] = {answered_by(reply) for reply in moved}
    assert refuge != home

    async def back():
        return answered_by(await scene.ask(route, headers=headers)) == home

    assert await eventually(back)


async def test_a_canary_gets_its_share_and_one_that_dies_hurts_nobody(scene):
    route = await scene.route("first/plain", canary={"target": "canary/plain", "percent": 30})
    found = await shares(scene, route, 60)
    assert 0 < found[scene.name("canary")] < 36
    dying = await scene.route("second/plain", name="dying", canary={"target": "sick/mock-503", "percent": 100})
    for reply in await scene.ask_each(dying):
        assert (reply.status, scene.models_seen(reply)) == (200, ["mock-503", "plain"])
        record = await scene.record(reply)
        assert [each["role"] for each in record["considered"]] == ["canary", "target"]


async def test_a_shadow_is_asked_as_well_and_delays_nobody(scene):
    shadow = "shadow/mock-delay-seconds-0.9"
    await scene.provider("shadow", first_byte_seconds=5.0)
    route = await scene.route("first/plain", shadow={"target": shadow})
    sick = await scene.route("first/plain", name="sick", shadow={"target": "second/mock-500"})
    for stream in (False, True):
        for gateway in scene.gateways:
            reply = await scene.ask(route, stream=stream, gateway=gateway)
            assert len(scene.upstream.lines(reply.request_id, "ended")) <= 1, "the caller waited for the shadow"
            assert (reply.text, answered_by(reply)) == (whole_text(), scene.name("first"))
            first, second = await scene.settled(reply, 2)
            assert {first["provider"], second["provider"]} == {scene.name("first"), scene.name("shadow")}
            assert [first["outcome"], second["outcome"]] == ["completed", "completed"]
            assert first["output_tokens"] == second["output_tokens"]
            slow = first if first["provider"] == scene.name("shadow") else second
            assert slow["duration_ms"] >= 900
    for reply in await scene.ask_each(sick):
        assert reply.text == whole_text()
        assert {row["outcome"] for row in await scene.settled(reply, 2)} == {"completed", "failed"}


async def test_tags_open_targets_and_without_any_the_request_is_refused(scene):
    route = await scene.route({"target": "eu/plain", "tags": ["eu"]}, {"target": "us/plain", "tags": ["us", "fast"]})
    for gateway in scene.gateways:
        for said, expected in (("eu", "eu"), ("us", "us"), ("x, fast", "us"), ("eu,us", "eu")):
            reply = await scene.ask(route, gateway=gateway, headers={"x-orchestrator-tags": said})
            assert answered_by(reply) == scene.name(expected)
        reply = await scene.ask(route, gateway=gateway)
        assert (reply.status, reply.error["code"]) == (503, "no_target_applies")


async def test_the_cheaper_target_is_asked_with_what_is_cached_taken_into_account(scene):
    """The dear one's prompts are nearly free once it has been seen to read them from its cache."""
    dear, cheap = "dear/mock-none-cached-12-input-12", "cheap/mock-none-input-12"
    await scene.offer(dear, input_nano_per_mtok=20_000_000_000, cache_read_nano_per_mtok=0, output_nano_per_mtok=0)
    await scene.offer(cheap, input_nano_per_mtok=10_000_000_000, output_nano_per_mtok=0)
    route = await scene.route(dear, cheap, strategy="cost")
    assert answered_by(await scene.ask(route, gateway=scene.gateways[0])) == scene.name("cheap")
    for gateway in scene.gateways:
        for _ in range(8):
            assert (await scene.ask(scene.name(dear), gateway=gateway)).status == 200
        assert answered_by(await scene.ask(route, gateway=gateway)) == scene.name("dear")


async def test_latency_avoids_what_is_slow(scene):
    route = await scene.route("slow/mock-slow-seconds-0.15", "quick/plain", strategy="latency")
    for gateway in scene.gateways:
        found = Counter([answered_by(await scene.ask(route, gateway=gateway, stream=True)) for _ in range(12)])
        assert found[scene.name("quick")] >= 9


async def test_least_busy_spreads_what_is_under_way(scene):
    route = await scene.route("one/mock-delay-seconds-0.3", "two/mock-delay-seconds-0.3", strategy="least_busy")
    for gateway in scene.gateways:
        # The first request of a process loads its configuration.
        await scene.ask(route, gateway=gateway)
        found = await shares(scene, route, 8, gateway=gateway)
        # What other processes have under way is half a second old.
        assert min(found.values()) >= 4 - (len(scene.gateways) > 1)
        assert sum(found.values()) == 8


async def test_auto_sends_hard_questions_to_the_strong_model(scene):
    route = await scene.route(
        {"target": "small/plain", "tier": "simple"}, {"target": "strong/plain", "tier": "reasoning"}, strategy="auto"
    )
    hard = (
        "Prove step by step that there are infinitely many primes congruent to 3 modulo 4, then derive the asymptotic "
        "density and write a Python program that verifies the theorem numerically; analyse its complexity."
    )
    for gateway in scene.gateways:
        easy = await scene.ask(route, gateway=gateway, messages=[{"role": "user", "content": "Hi there!"}])
        difficult = await scene.ask(route, gateway=gateway, messages=[{"role": "user", "content": hard}])
        assert (answered_by(easy), answered_by(difficult)) == (scene.name("small"), scene.name("strong"))


async def test_a_pattern_takes_the_name_that_was_asked_for(scene):
    await scene.offer("first/plain-a")
    await scene.offer("first/plain-b")
    await scene.route("first/*", "spare/plain", name=f"plain-*-{scene.name('x')}", strategy="priority")
    pattern = f"anything-{scene.name('y')}-*"
    await scene.route("first/plain-a", name=pattern)
    for reply in await scene.ask_each(f"anything-{scene.name('y')}-at-all"):
        assert scene.models_seen(reply) == ["plain-a"]
        assert reply.headers["x-orchestrator-route"] == pattern


async def test_a_request_brings_its_own_fallbacks(scene):
    for target in ("first/mock-500", "second/mock-reset", "third/plain"):
        await scene.offer(target)
    names = [scene.name(name) for name in ("first/mock-500", "second/mock-reset", "third/plain")]
    for gateway in scene.gateways:
        for asked in ({"models": names}, {"fallbacks": names[1:]}):
            reply = await scene.ask(names[0], gateway=gateway, **asked)
            assert (reply.text, scene.models_seen(reply)) == (whole_text(), ["mock-500", "mock-reset", "plain"])
    reply = await scene.ask(names[0], fallbacks=["no/such"])
    assert (reply.status, reply.error["param"].partition("[")[0]) == (404, "fallbacks")
