"""Both wires of the upstream: the same answers, the same faults, read by the vendors' own libraries where they can."""

import json

import aiohttp
import anthropic
import pytest

from benchmarks.processes import start_upstream

WIRES = ("/v1/chat/completions", "/v1/messages")
QUESTION = {"role": "user", "content": "hi"}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    url, process = start_upstream(tmp_path_factory.mktemp("upstream") / "upstream.log")
    yield url
    process.stop()


@pytest.fixture
def client(upstream):
    return anthropic.AsyncAnthropic(base_url=upstream, api_key="k", max_retries=0)


async def ask(url, path, model, *messages, stream=False):
    """Status and body, or the exception's name."""
    asked = {"model": model, "messages": [QUESTION, *messages], "stream": stream, "max_tokens": 10}
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(url + path, json=asked) as answer:
                return answer.status, await answer.read()
        except aiohttp.ClientError as error:
            return type(error).__name__, b""


def text_of(path, body):
    answer = json.loads(body)
    return answer["content"][0]["text"] if path == "/v1/messages" else answer["choices"][0]["message"]["content"]


def assistant(text):
    return {"role": "assistant", "content": text}


async def test_anthropics_library_reads_both_ways_alike(client):
    asked = {"model": "mock-none-input-11-output-7-cached-3", "max_tokens": 10, "messages": [QUESTION]}
    whole = await client.messages.create(**asked)
    async with client.messages.stream(**asked) as stream:
        streamed = await stream.get_final_message()
    for message in (whole, streamed):
        assert message.content[0].text == "word0 word1 word2 word3 word4 "
        assert message.stop_reason == "end_turn"
        assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (8, 3)
        assert message.usage.output_tokens == 7


@pytest.mark.parametrize(
    ("model", "raised", "words"),
    [
        ("mock-429-retry-1", anthropic.RateLimitError, "rate_limit_error"),
        ("mock-529", anthropic.APIStatusError, "overloaded_error"),
        ("mock-context_length", anthropic.BadRequestError, "prompt is too long"),
        ("mock-content_filter", anthropic.BadRequestError, "content filtering policy"),
        ("mock-error_event", anthropic.APIStatusError, "Overloaded"),
        ("mock-nonsense", anthropic.BadRequestError, "faults: "),
    ],
)
async def test_anthropics_library_names_the_refusals(client, model, raised, words):
    with pytest.raises(raised, match=words):
        async with client.messages.stream(model=model, max_tokens=10, messages=[QUESTION]) as stream:
            await stream.get_final_message()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("reset", "ClientOSError"),
        ("silent-seconds-0.05", "ServerDisconnectedError"),
        ("cut-after-3", "Client"),
        ("truncated-after-3", "ClientPayloadError"),
    ],
)
async def test_the_anthropic_wire_breaks_as_the_other_does(upstream, fault, expected, stream):
    status, _ = await ask(upstream, "/v1/messages", f"mock-{fault}", stream=stream)
    assert str(status).startswith(expected)


@pytest.mark.parametrize(
    ("fault", "stands", "lacks"),
    [
        ("none", [b"message_start", b"message_delta", b"message_stop"], []),
        ("no_done", [b"message_delta"], [b"message_stop"]),
        ("no_finish", [b"word4"], [b"message_delta", b"message_stop"]),
        ("malformed", [b'"text":"ha\n', b"message_stop"], []),
        ("filtered", [b'"stop_reason":"refusal"'], []),
    ],
)
async def test_a_stream_of_the_anthropic_wire_lacks_what_its_fault_says(upstream, fault, stands, lacks):
    status, body = await ask(upstream, "/v1/messages", f"mock-{fault}", stream=True)
    assert status == 200
    assert all(words in body for words in stands)
    assert not any(words in body for words in lacks)


@pytest.mark.parametrize("path", WIRES)
@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        ("word0", " word1 word2 word3 word4 "),
        ("word0 wor", "d1 word2 word3 word4 "),
        ([{"type": "text", "text": "word0 word1 word2"}], " word3 word4 "),
        ("Something else", "word0 word1 word2 word3 word4 "),
    ],
)
async def test_an_answer_goes_on_after_a_prefill(upstream, path, begun, rest):
    status, body = await ask(upstream, path, "mock-none", assistant(begun))
    assert (status, text_of(path, body)) == (200, rest)


@pytest.mark.parametrize("path", WIRES)
async def test_a_prefill_is_rejected_and_nothing_else(upstream, path):
    status, body = await ask(upstream, path, "mock-prefill_rejected", assistant("word0"))
    assert status == 400
    assert b"Assistant" in body or b"assistant message prefill" in body
    assert (await ask(upstream, path, "mock-prefill_rejected", assistant("word0"), QUESTION))[0] == 200


async def test_the_anthropic_wire_takes_no_prefill_that_ends_in_a_space(upstream):
    status, body = await ask(upstream, "/v1/messages", "mock-none", assistant("word0 "))
    assert (status, b"trailing whitespace" in body) == (400, True)
    assert (await ask(upstream, "/v1/chat/completions", "mock-none", assistant("word0 ")))[0] == 200
