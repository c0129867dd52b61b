"""The fault-injecting upstream, asked over HTTP as the platform would."""

import asyncio
import json
from typing import get_args

import aiohttp
import pytest

from benchmarks.processes import start_upstream
from benchmarks.upstream.journal import read_journal
from benchmarks.upstream.plans import FAULTS, Fault, PlanRefused, plan_of


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upstream")
    url, process = start_upstream(folder / "upstream.log", journal=folder / "journal.jsonl")
    yield url, folder / "journal.jsonl"
    process.stop()


async def ask(url, fields, **body):
    """Status, header and body, or the exception's name."""
    content = {"model": "m", "messages": [], "stream_options": {"include_usage": True}, "metadata": {"mock": fields}}
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(f"{url}/v1/chat/completions", json=content | body) as answer:
                return answer.status, answer.headers, await answer.read()
        except aiohttp.ClientError as error:
            return type(error).__name__, {}, b""


async def test_streamed_and_whole_answers_agree(upstream):
    fields = {"chunks": 4, "input": 11, "output": 7, "cached": 3}
    _, _, whole = await ask(upstream[0], fields)
    _, _, streamed = await ask(upstream[0], fields, stream=True)
    events = [json.loads(line[6:]) for line in streamed.decode().split("\n\n") if line.startswith("data: {")]
    text = "".join(choice["delta"].get("content", "") for event in events for choice in event["choices"])
    answer = json.loads(whole)
    assert text == answer["choices"][0]["message"]["content"] == "word0 word1 word2 word3 "
    assert events[-1]["usage"] == answer["usage"]
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (11, 7)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("reset", "ClientOSError"),
        ("silent", "ServerDisconnectedError"),
        ("cut", "Client"),
        ("truncated", "ClientPayloadError"),
        ("status", 500),
        ("context_length", 400),
        ("content_filter", 400),
        ("garbage", 200),
        ("malformed", 200),
        ("error_event", 200),
    ],
)
async def test_faults_break_the_answer_as_they_say(upstream, fault, expected, stream):
    status, _, body = await ask(upstream[0], {"fault": fault, "seconds": 0.05}, stream=stream)
    if isinstance(expected, str):
        assert str(status).startswith(expected)
        return
    assert status == expected
    if fault in ("error_event", "status", "context_length", "content_filter"):
        assert b'"error"' in body
    if fault in ("garbage", "malformed"):
        with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
            [json.loads(line.removeprefix(b"data: ")) for line in body.split(b"\n\n") if b"[DONE]" not in line and line]


async def test_retry_after_is_sent_and_attempts_limit_a_fault(upstream):
    status, headers, _ = await ask(upstream[0], {"fault": "status", "status": 429, "retry": "7"})
    assert (status, headers["retry-after"]) == (429, "7")
    assert plan_of({"metadata": {"mock": {"fault": "reset", "attempts": 1}}}, attempt=1).fault == "reset"
    assert plan_of({"metadata": {"mock": {"fault": "reset", "attempts": 1}}}, attempt=2).fault == "none"


async def test_flapping_recovers_and_falls_again(upstream):
    fields = {"fault": "flap", "status": 503, "seconds": 0.3}
    seen = []
    for _ in range(12):
        seen.append((await ask(upstream[0], fields, model="flapping"))[0])
        await asyncio.sleep(0.06)
    assert seen[0] == 503
    assert {503, 200} <= set(seen)


async def test_journal_tells_a_client_that_left_from_a_whole_answer(upstream):
    url, journal = upstream
    headers = {"x-request-id": "left", "x-orchestrator-attempt": "2"}
    body = {"model": "mock-none-chunks-200-pace-10", "stream": True, "messages": []}
    async with aiohttp.ClientSession(headers=headers) as session:
        answer = await session.post(f"{url}/v1/chat/completions", json=body)
        await answer.content.readany()
        answer.close()
    await ask(url, {"chunks": 2})
    received, ended = await read_when_all_ended(journal)
    left = next(line for line in received if line.request_id == "left")
    assert (left.attempt, ended[left.number].outcome) == (2, "client_gone")
    assert 0 < ended[left.number].chunks_sent < 200
    assert ended[received[-1].number].outcome == "completed"


async def read_when_all_ended(journal):
    for _ in range(100):
        received, ended = read_journal(journal)
        if all(line.number in ended for line in received):
            return received, ended
        await asyncio.sleep(0.02)
    return pytest.fail("a request of the journal has no end")


def test_plans_are_read_from_model_metadata_and_user():
    assert plan_of({"model": "mock-429-retry-1"}, attempt=1).status == 429
    assert plan_of({"model": "fault:stall:after=2:seconds=5"}, attempt=1).seconds == 5
    assert plan_of({"model": "gpt-5", "user": '{"fault":"cut"}'}, attempt=1).fault == "cut"
    assert plan_of({"model": "mock-cut", "metadata": {"mock": '{"fault":"none"}'}}, attempt=1).fault == "none"
    assert plan_of({"model": "gpt-5", "metadata": {"anything": "else"}, "user": "u1"}, attempt=1).fault == "none"
    for wrong in ({"model": "mock-nonsense"}, {"model": "mock-cut-after"}, {"metadata": {"mock": {"pase": 1}}}):
        with pytest.raises(PlanRefused):
            plan_of(wrong, attempt=1)
    assert set(FAULTS) == set(get_args(Fault))
