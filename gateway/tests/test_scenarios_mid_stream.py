"""Streams that break off after their first byte: one well-formed stream reaches the caller, or an error in it."""

import json

import anthropic
import openai
import pytest

from gateway.tests.conftest import MESSAGES
from gateway.tests.scene import whole_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROKEN = ("cut", "truncated", "stall-seconds-5", "malformed", "error_event", "no_finish")
PREFILL = ("prefill",)
WORD = '{"chunks": 8, "pace": 3}'


def failing(fault: str, provider: str = "first", after: int = 3) -> str:
    return f"{provider}/mock-{fault}-after-{after}-chunks-8-pace-3"


def good(provider: str = "spare") -> str:
    return f"{provider}/mock-none-chunks-8-pace-3"


async def made(scene, first, second, *, capabilities=(), name="route", wires=("openai", "openai"), **policy):
    """A route from one target to the other, each on its wire."""
    for target, wire in zip((first, second), wires, strict=True):
        provider = target.partition("/")[0]
        if provider not in scene.providers:
            await scene.provider(provider, wire=wire)
    await scene.offer(second, capabilities=capabilities)
    return await scene.route(first, second, name=name, **policy)


def check_chat(events, text):
    """One stream of chat: one id, one role, one finish, one usage, one end; and all of the text."""
    assert events[-1] == b"[DONE]"
    chunks = events[:-1]
    assert not [each for each in chunks if "error" in each]
    assert len({(each["id"], each["created"], each["model"], each["object"]) for each in chunks}) == 1
    choices = [choice for each in chunks for choice in each["choices"]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == text
    assert [choice["delta"]["role"] for choice in choices if "role" in choice["delta"]] == ["assistant"]
    assert [each["finish_reason"] for each in choices if each["finish_reason"]] == ["stop"]
    assert choices[-1]["finish_reason"] == "stop"
    assert len([each for each in chunks if each.get("usage")]) == 1


def check_cut(events):
    assert b"[DONE]" not in events
    assert set(events[-1]) == {"error"}
    assert sum("error" in each for each in events) == 1


@pytest.mark.parametrize("capabilities", [(), PREFILL], ids=["again", "prefilled"])
@pytest.mark.parametrize(
    "wires", [("openai", "openai"), ("openai", "anthropic"), ("anthropic", "openai")], ids="-".join
)
async def test_a_broken_chat_is_gone_on_with(scene, capabilities, wires):
    routes = {}
    for number, fault in enumerate(BROKEN):
        options = {"name": fault, "wires": wires, "capabilities": capabilities}
        routes[fault] = await made(scene, failing(fault, f"p{number}"), good(), **options)
    replies = {
        fault: await scene.ask_each(route, stream=True, stream_options={"include_usage": True})
        for fault, route in routes.items()
    }
    for fault, asked in replies.items():
        for reply in asked:
            check_chat(reply.events, whole_text(8))
            assert scene.models_seen(reply) == [failing(fault, "").strip("/"), "mock-none-chunks-8-pace-3"]
            said = len("word0 word1 word2") if fault != "no_finish" else len(whole_text(8)) - 1
            assert [line["prefilled"] for line in scene.seen(reply)] == [None, said if capabilities else None]
            first, second = await scene.settled(reply, 2)
            assert (first["outcome"], second["outcome"]) == ("cut", "completed")
            assert second["usage_source"] == "provider"


async def test_the_sdks_read_a_stream_that_was_gone_on_with(scene):
    route = await made(scene, failing("cut"), good(), capabilities=PREFILL)
    for gateway in scene.gateways:
        async with openai.AsyncOpenAI(base_url=gateway.url, api_key=scene.tenant.key, max_retries=0) as client:
            async with client.chat.completions.stream(model=route, messages=MESSAGES) as stream:
                chat = await stream.get_final_completion()
            async with client.responses.stream(model=route, input="Tell me something.", store=False) as stream:
                response = await stream.get_final_response()
            pieces = await client.completions.create(model=route, prompt="Tell me something.", stream=True)
            legacy = [piece async for piece in pieces]
        async with (
            anthropic.AsyncAnthropic(
                base_url=gateway.url.removesuffix("/v1"), api_key=scene.tenant.key, max_retries=0
            ) as other,
            other.messages.stream(model=route, messages=MESSAGES, max_tokens=100) as stream,
        ):
            message = await stream.get_final_message()
        assert (chat.choices[0].message.content, chat.choices[0].finish_reason) == (whole_text(8), "stop")
        assert (response.output_text, response.status) == (whole_text(8), "completed")
        assert "".join(piece.choices[0].text for piece in legacy if piece.choices) == whole_text(8)
        assert [piece.choices[0].finish_reason for piece in legacy if piece.choices][-1] == "stop"
        assert ("".join(block.text for block in message.content if block.type == "text"), message.stop_reason) == (
            whole_text(8),
            "end_turn",
        )
        assert message.usage.output_tokens > 0
        assert response.usage is not None


@pytest.mark.parametrize("wires", [("openai", "anthropic"), ("anthropic", "anthropic")], ids="-".join)
@pytest.mark.parametrize("capabilities", [(), PREFILL], ids=["again", "prefilled"])
async def test_broken_messages_are_gone_on_with_as_one(scene, wires, capabilities):
    route = await made(scene, failing("cut"), good(), wires=wires, capabilities=capabilities)
    for reply in await scene.ask_each(route, path="/messages", stream=True, max_tokens=100):
        told = [json.loads(part.partition(b"data: ")[2]) for part in reply.body.split(b"\n\n") if part]
        kinds = [each["type"] for each in told]
        for once in ("message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"):
            assert kinds.count(once) == 1, once
        assert kinds[0] == "message_start"
        assert kinds[-1] == "message_stop"
        deltas = [each["delta"].get("text", "") for each in told if each["type"] == "content_block_delta"]
        assert "".join(deltas) == whole_text(8)


async def test_a_prefill_that_is_refused_is_followed_by_an_answer_anew(scene):
    refusing = "spare/mock-prefill_rejected-chunks-8"
    for wire in ("openai", "anthropic"):
        route = await made(
            scene, failing("cut", wire), f"{wire}-{refusing}", name=wire, capabilities=PREFILL, wires=("openai", wire)
        )
        for reply in await scene.ask_each(route, stream=True, stream_options={"include_usage": True}):
            check_chat(reply.events, whole_text(8))
            assert [line["prefilled"] is None for line in scene.seen(reply)] == [True, False, True]
            record = await scene.record(reply)
            assert [each["why"] for each in record["attempts"]] == ["first", "continue", "restart"]


async def test_restart_never_prefills_and_an_answer_that_differs_is_refused(scene):
    route = await made(scene, failing("cut"), good(), capabilities=PREFILL, mid_stream="restart")
    differing = {"target": good("other"), "parameters": {"metadata": {"mock": '{"fault": "huge", "size": 99}'}}}
    diverging = await scene.route(failing("cut"), differing, name="diverging", mid_stream="restart", retries=0)
    for gateway in scene.gateways:
        reply = await scene.ask(route, gateway=gateway, stream=True, stream_options={"include_usage": True})
        check_chat(reply.events, whole_text(8))
        assert [line["prefilled"] for line in scene.seen(reply)] == [None, None]
        reply = await scene.ask(diverging, gateway=gateway, stream=True)
        check_cut(reply.events)
        assert whole_text(8).startswith(reply.text)
        assert len(scene.seen(reply)) == 2


@pytest.mark.parametrize("fault", BROKEN)
async def test_with_the_policy_error_a_broken_stream_ends_in_an_error(scene, fault):
    route = await made(scene, failing(fault), good(), mid_stream="error")
    for reply in await scene.ask_each(route, stream=True):
        check_cut(reply.events)
        assert whole_text(8).startswith(reply.text)
        assert len(scene.seen(reply)) == 1


@pytest.mark.parametrize("fault", BROKEN)
async def test_with_the_policy_buffer_a_caller_sees_nothing_of_a_broken_stream(scene, fault):
    route = await made(scene, failing(fault), good(), mid_stream="buffer")
    alone = await scene.route(failing(fault, "alone"), name="alone", mid_stream="buffer", retries=0)
    for reply in await scene.ask_each(route, stream=True, stream_options={"include_usage": True}):
        check_chat(reply.events, whole_text(8))
        assert scene.models_seen(reply)[1:] == ["mock-none-chunks-8-pace-3"]
        first, _ = await scene.settled(reply, 2)
        assert first["charge_nano"] == 0
    for reply in await scene.ask_each(alone, stream=True):
        assert reply.status in (502, 503, 504)
        assert reply.error


async def test_a_structured_answer_is_never_patched(scene):
    route = await made(scene, failing("cut"), good(), capabilities=PREFILL)
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    for asked in (schema, {"type": "json_object"}):
        for reply in await scene.ask_each(route, stream=True, response_format=asked):
            check_cut(reply.events)
            assert len(scene.seen(reply)) == 1


async def test_several_choices_are_never_patched(scene):
    route = await made(scene, failing("cut"), good(), capabilities=PREFILL)
    for reply in await scene.ask_each(route, stream=True, n=2):
        check_cut(reply.events)
        assert len(scene.seen(reply)) == 1


async def test_a_missing_done_ends_the_stream_promptly_and_whole(scene):
    for wire in ("openai", "anthropic"):
        await scene.provider(wire, wire=wire, between_chunks_seconds=9.0)
        route = await scene.route(f"{wire}/mock-no_done-chunks-8", name=wire)
        for reply in await scene.ask_each(route, stream=True, stream_options={"include_usage": True}):
            check_chat(reply.events, whole_text(8))
            assert reply.seconds < 4
            [row] = await scene.settled(reply)
            assert (row["outcome"], row["usage_source"]) == ("completed", "provider")


async def test_an_answer_may_break_off_again_and_again(scene):
    """Each goes on where the one before it stopped; the last finishes."""
    others = (failing("cut", "second"), failing("cut", "third", after=2), good())
    for target in others:
        await scene.offer(target, capabilities=PREFILL)
    route = await scene.route(failing("cut"), *others)
    for reply in await scene.ask_each(route, stream=True, stream_options={"include_usage": True}):
        check_chat(reply.events, whole_text(8))
        assert [line["prefilled"] for line in scene.seen(reply)] == [None, 17, 29, 35]
        rows = await scene.settled(reply, 4)
        assert [row["outcome"] for row in rows] == ["cut", "cut", "cut", "completed"]


async def test_when_nobody_can_go_on_the_stream_ends_in_the_error_that_broke_it(scene):
    route = await made(scene, failing("cut"), "spare/mock-503", retries=0)
    for reply in await scene.ask_each(route, stream=True):
        check_cut(reply.events)
        assert reply.text == "word0 word1 word2 "
        assert scene.models_seen(reply) == [failing("cut", "").strip("/"), "mock-503"]


async def test_an_answer_that_drips_is_given_up_and_gone_on_with(scene, monkeypatch):
    monkeypatch.setattr("gateway.failover.pace.WINDOW_SECONDS", 0.3)
    drip = "first/mock-drip-size-100-pace-60-chunks-8"
    route = await made(scene, drip, good(), capabilities=PREFILL, slowest_tokens_per_second=100)
    patient = await scene.route("second/mock-drip-size-400-pace-10-chunks-8", name="patient")
    for reply in await scene.ask_each(route, stream=True, stream_options={"include_usage": True}):
        check_chat(reply.events, whole_text(8))
        first, _ = await scene.settled(reply, 2)
        assert (first["outcome"], first["error_code"]) == ("cut", "upstream_slow")
        assert reply.seconds < 2
    for reply in await scene.ask_each(patient, stream=True, stream_options={"include_usage": True}):
        check_chat(reply.events, whole_text(8))
        assert len(scene.seen(reply)) == 1
