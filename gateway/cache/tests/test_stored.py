"""What is kept, written and read again, and said again in every dialect."""

import json
from typing import Any

import msgspec
import pytest

from gateway.cache.heard import stored_of
from gateway.cache.stored import Stored, chunks_of, read, written
from gateway.cache.tests.asking import USED, asked, heard
from providers.tests.recordings import ANTHROPIC, OPENAI
from providers.wire.assembly import answer_of
from providers.wire.openai.events import OpenAIEvents, read_answer
from providers.wire.openai.stream import OpenAIStream
from providers.wire.openai.tasks import parse_task_request
from providers.wire.sse import Flat

ENDS = {
    "chat": b"data: [DONE]\n\n",
    "completions": b"data: [DONE]\n\n",
    "messages": b'"message_stop"}\n\n',
    "responses": b"\n\n",
}


async def kept(wire, name, dialect="chat", **fields) -> Any:
    recordings = {"openai": OPENAI, "anthropic": ANTHROPIC}[wire]
    stored = await stored_of(heard(asked(dialect, **fields), recordings.whole(name), wire=wire), now=1000)
    assert stored is not None
    return stored


@pytest.mark.parametrize("name", ["openai_text", "openai_tools", "openai_logprobs", "mistral_thinking"])
async def test_it_is_read_as_it_was_written(name):
    stored = await kept("openai", name)
    assert read(written(stored)) == stored


def test_bytes_are_read_as_they_were_written():
    stored = Stored("p", "m", USED, 1, 2, 3, body=b"\x00\n\xff\n\n", content_type="audio/mpeg")
    assert read(written(stored)) == stored


@pytest.mark.parametrize("other", [b"", b"{}", b"\x80", b'{"stored":{"provider":1}}\n', b"[" * 100_000])
def test_what_another_release_wrote_is_not_there(other):
    assert read(other) is None


@pytest.mark.parametrize("dialect", ["chat", "completions", "messages", "responses"])
@pytest.mark.parametrize("stream", [False, True])
async def test_it_is_said_again_in_every_dialect_whole_and_as_a_stream(dialect, stream):
    stored = await kept("anthropic", "text")
    (chunk,) = chunks_of(stored, asked(dialect, stream=stream))
    said = stored.answer.choices[0].parts[0].text
    assert chunk.text == said
    assert (chunk.finished, chunk.done, chunk.usage, chunk.finish_reason) == (True, True, stored.answer.usage, "stop")
    if stream:
        assert chunk.raw.endswith(ENDS[dialect])
        assert chunk.raw.count(ENDS[dialect]) >= 1
    else:
        assert said in json.dumps(json.loads(chunk.raw), ensure_ascii=False)


@pytest.mark.parametrize("name", ["openai_text", "openai_tools", "openai_logprobs", "mixed_parallel_calls"])
async def test_a_whole_answer_said_as_a_stream_says_the_same(name):
    stored = await kept("openai", name)
    (chunk,) = chunks_of(stored, asked(stream=True, stream_options={"include_usage": True}))
    again = answer_of(Flat(OpenAIEvents()).feed(chunk.raw))
    assert (again.choices, again.usage) == (stored.answer.choices, stored.answer.usage)
    assert read_answer(chunks_of(stored, asked())[0].raw).choices == stored.answer.choices


async def test_ids_and_times_are_new_and_the_model_is_the_one_that_answered():
    stored = await kept("openai", "openai_text")
    one, two = (json.loads(chunks_of(stored, asked())[0].raw) for _ in range(2))
    assert one["id"] != two["id"]
    assert stored.answer.id not in one["id"]
    assert one["created"] > stored.answer.created
    assert one["model"] == stored.answer.model
    assert one["usage"]["prompt_tokens"] == stored.answer.usage.input_tokens


async def test_usage_is_shown_in_a_stream_to_those_who_asked_for_it():
    stored = await kept("openai", "openai_text")
    silent = chunks_of(stored, asked(stream=True))[0].raw
    assert b"usage" not in silent
    assert [event.done for event in OpenAIStream().feed(silent)][-1]


def test_what_is_no_conversation_is_given_byte_by_byte():
    stored = Stored("p", "m", USED, 1, 2, 3, body=b'{"data": []}')
    request = parse_task_request(b'{"model":"m","input":"x"}', "embeddings")
    (chunk,) = chunks_of(msgspec.structs.replace(stored), request)
    assert (chunk.raw, chunk.usage, chunk.finished, chunk.done) == (b'{"data": []}', USED, True, True)
