"""What upstreams do wrong, and what callers and the ledger get to know of it."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from gateway.tests.conftest import body, events, settlements
from gateway.tests.stage import eventually, listening, make_services

TRIED_AGAIN = {"upstream_refused", "upstream_unavailable", "upstream_reset", "upstream_garbled"}


@pytest.mark.parametrize(
    ("mock", "status", "code", "source"),
    [
        ({"fault": "status", "status": 500}, 502, "upstream_refused", "none"),
        ({"fault": "status", "status": 503}, 503, "upstream_unavailable", "none"),
        ({"fault": "status", "status": 429, "retry": "7"}, 429, "rate_limit_exceeded", "none"),
        ({"fault": "status", "status": 401}, 502, "upstream_credential", "none"),
        ({"fault": "status", "status": 422}, 422, "mock_422", "none"),
        ({"fault": "context_length"}, 400, "context_length_exceeded", "none"),
        ({"fault": "reset"}, 502, "upstream_reset", "estimated"),
        ({"fault": "garbage", "size": 100}, 502, "upstream_garbled", "estimated"),
        ({"fault": "truncated"}, 502, "upstream_garbled", "estimated"),
        ({"fault": "malformed"}, 502, "upstream_garbled", "estimated"),
        ({"fault": "silent", "seconds": 5}, 504, "upstream_timeout", "estimated"),
        ({"fault": "stall", "seconds": 5}, 504, "upstream_stalled", "estimated"),
    ],
)
async def test_a_failure_before_the_answer_is_a_status_and_charges_nothing(gateway, tenant, mock, status, code, source):
    async with gateway.post(tenant.key, body(mock=mock)) as response:
        error = (await response.json())["error"]
    assert (response.status, error["code"]) == (status, code)
    assert "sk-upstream-secret" not in str(error)
    if "retry" in mock:
        assert response.headers["retry-after"] == "7"
    for row in await settlements(gateway, response.headers["x-request-id"], 2 if code in TRIED_AGAIN else 1):
        assert (row["outcome"], row["error_code"], row["charge_nano"]) == ("failed", code, 0)
        assert row["usage_source"] == source
        assert (row["cost_nano"] > 0) == (source == "estimated")


@pytest.mark.parametrize(
    ("mock", "status", "code"),
    [
        ({"fault": "status", "status": 500}, 502, "upstream_refused"),
        ({"fault": "silent", "seconds": 5}, 504, "upstream_timeout"),
        ({"fault": "slow", "seconds": 5}, 504, "upstream_stalled"),
        ({"fault": "cut", "after": 0}, 502, None),
        ({"fault": "malformed", "after": 0}, 502, "upstream_garbled"),
        ({"fault": "error_event", "after": 0}, 502, None),
        ({"fault": "garbage", "size": 100}, 502, None),
    ],
)
async def test_a_stream_that_fails_before_its_first_chunk_still_gets_a_status(gateway, tenant, mock, status, code):
    async with gateway.post(tenant.key, body(stream=True, mock=mock)) as response:
        error = (await response.json())["error"]
    assert response.status == status
    assert code is None or error["code"] == code
    for row in await settlements(gateway, response.headers["x-request-id"], 2 if status == 502 else 1):
        assert (row["outcome"], row["charge_nano"]) == ("failed", 0)


@pytest.mark.parametrize(
    ("mock", "code"),
    [
        ({"fault": "cut"}, None),
        ({"fault": "truncated"}, None),
        ({"fault": "no_finish"}, "upstream_cut"),
        ({"fault": "malformed"}, "upstream_garbled"),
        ({"fault": "error_event"}, None),
        ({"fault": "stall", "seconds": 5}, "upstream_stalled"),
    ],
)
async def test_a_stream_that_breaks_ends_with_an_error_and_without_done(gateway, tenant, mock, code):
    async with gateway.post(tenant.key, body(stream=True, mock={"pace": 5, **mock})) as response:
        assert response.status == 200
        seen = events(await response.read())
    assert b"[DONE]" not in seen
    assert set(seen[-1]) == {"error"}
    assert code is None or seen[-1]["error"]["code"] == code
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert (row["outcome"], row["error_code"]) == ("cut", seen[-1]["error"]["code"])
    chunks = len([event for event in seen[:-1] if event["choices"][0]["delta"].get("content")])
    assert row["output_tokens"] >= chunks >= 1
    assert row["cost_nano"] > 0


async def test_the_sdk_raises_on_a_broken_stream(gateway, tenant):
    client = openai.AsyncOpenAI(base_url=gateway.url, api_key=tenant.key)
    stream = await client.chat.completions.create(**body(stream=True, mock={"fault": "cut", "pace": 5}))
    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass
    await client.close()


@pytest.mark.parametrize(
    "fault", ["mock-500", "mock-429", "mock-401", "mock-reset", "mock-garbage", "mock-silent-seconds-30"]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_next_target_answers_and_each_attempt_is_settled(gateway, tenant, upstream, fault, stream):
    async with gateway.post(tenant.key, body(model=f"after-{fault}", stream=stream)) as response:
        await response.read()
    assert response.status == 200
    first, second = await settlements(gateway, response.headers["x-request-id"], 2)
    assert (first["attempt"], first["provider"], first["outcome"], first["charge_nano"]) == (1, "mock", "failed", 0)
    assert (second["attempt"], second["provider"], second["outcome"]) == (2, "spare", "completed")
    assert second["usage_source"] == "provider"
    assert [line["attempt"] for line in upstream.lines(response.headers["x-request-id"], "received")] == [1, 2]


async def test_a_request_that_is_wrong_is_not_tried_elsewhere(gateway, tenant):
    async with gateway.post(tenant.key, body(model="after-mock-400")) as response:
        assert response.status == 400
    await settlements(gateway, response.headers["x-request-id"], 1)


async def test_when_every_target_fails_the_last_is_tried_again_and_its_error_is_told(gateway, tenant):
    async with gateway.post(tenant.key, body(model="hopeless")) as response:
        assert response.status == 429
    tried = await settlements(gateway, response.headers["x-request-id"], 4)
    assert [row["model"] for row in tried] == ["mock-500", "mock-429", "mock-429", "mock-429"]


async def test_a_deadline_ends_a_call_before_and_within_its_answer(tenant, upstream):
    async with listening(make_services(limits={"request_timeout": 0.4, "stream_timeout": 0.4})) as gateway:
        async with gateway.post(tenant.key, body(mock={"fault": "delay", "seconds": 0.9})) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (504, "upstream_timeout")
        [row] = await settlements(gateway, response.headers["x-request-id"])
        assert (row["outcome"], row["error_code"]) == ("failed", "upstream_timeout")
        async with gateway.post(tenant.key, body(stream=True, mock={"chunks": 100, "pace": 20})) as response:
            seen = events(await response.read())
        assert seen[-1]["error"]["code"] == "upstream_timeout"
        [row] = await settlements(gateway, response.headers["x-request-id"])
        assert row["outcome"] == "cut"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_who_leaves_stops_the_upstream_and_pays_what_was_used(gateway, tenant, upstream, stream):
    mock = {"fault": "none", "chunks": 200, "pace": 20} if stream else {"fault": "delay", "seconds": 0.9}
    response = await begin(gateway, tenant.key, body(stream=stream, mock=mock), upstream)
    left = time.time()
    response.close()
    request_id = response.request_id

    [ended] = await eventually(lambda: upstream.lines(request_id, "ended"))
    assert ended["outcome"] == "client_gone"
    assert ended["at"] - left < 1.0
    [row] = await settlements(gateway, request_id)
    assert row["outcome"] == "aborted"
    assert row["usage_source"] == "estimated"
    assert row["input_tokens"] > 0
    assert (row["output_tokens"] > 0) == stream
    assert gateway.services.running.count == 0


@dataclass(slots=True)
class Begun:
    """A request by hand, so that it can be hung up on before there is a response."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request_id: str

    def close(self) -> None:
        self.writer.transport.abort()

    def pause(self) -> None:
        transport = self.writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()


async def begin(gateway, key, wish, upstream, limit=65536) -> Begun:
    """Sends a request and returns when the upstream has it (and, of a stream, when its first bytes are here)."""
    before = received(upstream)
    port = int(gateway.url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    payload = json.dumps(wish).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n".encode() + payload)
    await eventually(lambda: len(received(upstream)) > len(before))
    if wish["stream"]:
        await reader.readuntil(b'"content"')
    return Begun(reader, writer, received(upstream)[-1]["request_id"])


def received(upstream) -> list[dict[str, Any]]:
    return [json.loads(line) for line in upstream.journal.read_text().splitlines() if '"received"' in line]


async def test_a_reader_who_stalls_holds_the_upstream_back(gateway, tenant, upstream):
    """30 MB asked for and nothing read: the upstream is stopped by its own socket, not taken into our memory."""
    begun = await begin(gateway, tenant.key, body(stream=True, mock={"chunks": 150_000}), upstream, limit=1024)
    begun.pause()
    await asyncio.sleep(1.5)
    assert not upstream.lines(begun.request_id, "ended")
    begun.close()
    [ended] = await eventually(lambda: upstream.lines(begun.request_id, "ended"))
    assert ended["outcome"] == "client_gone"
    assert ended["chunks_sent"] < 150_000
    [row] = await settlements(gateway, begun.request_id)
    assert row["outcome"] == "aborted"


async def test_a_prompt_is_measured_once_however_many_targets_are_tried(gateway, tenant, monkeypatch):
    measured = []

    def measure(request):
        measured.append(request)
        return 77

    monkeypatch.setattr("gateway.pipeline.estimated_input_tokens", measure)
    async with gateway.post(tenant.key, body(model="after-mock-reset")) as response:
        assert response.status == 200
    first, _ = await settlements(gateway, response.headers["x-request-id"], 2)
    assert (len(measured), first["input_tokens"]) == (1, 77)
