"""A request with an idempotency-key is done once, whoever sends it again, whenever and however often."""

import asyncio
import json
import os
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest
from openai import AsyncOpenAI
from prometheus_client import REGISTRY

from billing.idempotency import store
from billing.idempotency.claims import Kept, claim_of
from common.errors import Unavailable
from common.ids import new_id
from common.redis import RedisConnection
from gateway.tests.conftest import MESSAGES, body, events
from gateway.tests.stage import DatabaseAnswers, eventually, listening, make_services
from tenants import database_threads
from tenants.actions.api_keys import create_api_key, revoke_api_key

MODEL = "mock/plain"
ROOM = {"requests_per_minute": 100_000}


@pytest.fixture
async def gateway():
    async with listening(make_services(limits=ROOM)) as listens:
        yield listens


@pytest.fixture
async def pair():
    """Two processes, as far as they know."""
    async with listening(make_services(limits=ROOM)) as one, listening(make_services(limits=ROOM)) as other:
        yield [one, other]


class NoAnswers(DatabaseAnswers):
    """As while PostgreSQL is frozen: each waits for its deadline, in vain."""

    async def claim(self, tenant, claim, lease):
        await asyncio.sleep(0.5)
        raise Unavailable("The test has taken the database away.")

    async def release(self, tenant, claim):
        raise Unavailable("The test has taken the database away.")


def named(key=""):
    return {"idempotency-key": key or f"key-{secrets.token_hex(8)}"}


async def ask(gateway, key, headers, **fields):
    async with gateway.post(key, body(**fields), headers=headers) as response:
        return response, await response.read()


def counts():
    """How many were done, and how many answered again."""
    kinds = ({"result": result} for result in ("done", "replayed"))
    return [REGISTRY.get_sample_value("idempotent_requests_total", kind) or 0 for kind in kinds]


def dispatched(upstream, replies):
    """How many calls the upstream has on record of all these."""
    ids = {response.headers["x-request-id"] for response, _ in replies}
    return sum(len(upstream.lines(each, "received")) for each in ids)


async def test_the_same_request_gets_the_same_answer_and_is_sent_once(gateway, tenant, upstream):
    headers, counted = named(), counts()
    (first, whole), (second, again) = [await ask(gateway, tenant.key, headers) for _ in range(2)]
    assert [after - before for before, after in zip(counted, counts(), strict=True)] == [1, 1]
    assert (first.status, second.status) == (200, 200)
    assert again == whole
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-orchestrator-original-request-id"] == first.headers["x-request-id"]
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert second.headers["x-orchestrator-model"] == first.headers["x-orchestrator-model"]
    assert dispatched(upstream, [(first, b""), (second, b"")]) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_two_hundred_at_once_in_two_processes_are_one_call(pair, tenant, upstream, stream):
    headers, mock = named(), {"fault": "delay", "seconds": 0.3}
    asking = (ask(pair[number % 2], tenant.key, headers, stream=stream, mock=mock) for number in range(200))
    replies = await asyncio.gather(*asking)
    assert {response.status for response, _ in replies} == {200}
    assert len({payload for _, payload in replies}) == 1
    assert dispatched(upstream, replies) == 1
    assert sum("idempotent-replayed" not in response.headers for response, _ in replies) == 1


async def test_another_body_with_the_same_key_is_refused(gateway, tenant):
    headers = named()
    await ask(gateway, tenant.key, headers)
    response, payload = await ask(gateway, tenant.key, headers, temperature=0.5)
    assert response.status == 409
    assert json.loads(payload)["error"]["code"] == "idempotency_key_reused"


async def test_another_body_is_refused_while_the_first_is_under_way(pair, tenant):
    headers = named()
    first = asyncio.create_task(ask(pair[0], tenant.key, headers, mock={"fault": "delay", "seconds": 0.8}))
    await eventually(lambda: pair[0].services.once._running)
    for gateway in pair:
        response, payload = await ask(gateway, tenant.key, headers, temperature=0.5)
        assert (response.status, json.loads(payload)["error"]["code"]) == (409, "idempotency_key_reused")
    assert (await first)[0].status == 200


async def test_a_stream_is_replayed_to_the_byte_and_as_the_sdk_reads_it(gateway, tenant, upstream):
    headers = named()
    (first, said), (second, again) = [await ask(gateway, tenant.key, headers, stream=True) for _ in range(2)]
    assert again == said
    assert events(again)[-1] == b"[DONE]"
    assert second.headers["content-type"] == first.headers["content-type"]
    assert dispatched(upstream, [(first, b""), (second, b"")]) == 1
    client = AsyncOpenAI(api_key=tenant.key, base_url=gateway.url, max_retries=0)
    texts = []
    for _ in range(2):
        stream = await client.chat.completions.create(
            model=MODEL, messages=MESSAGES, stream=True, extra_headers=named("sdk" + headers["idempotency-key"])
        )
        texts.append("".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]))
    await client.close()
    assert texts[0] == texts[1] != ""


async def test_a_stream_that_broke_is_done_again(gateway, tenant, upstream):
    headers, broken = named(), {"fault": "cut", "after": 2}
    replies = [await ask(gateway, tenant.key, headers, stream=True, mock=broken) for _ in range(2)]
    assert all("idempotent-replayed" not in response.headers for response, _ in replies)
    assert all("error" in events(payload)[-1] for _, payload in replies)
    for response, _ in replies:
        assert upstream.lines(response.headers["x-request-id"], "received")


async def test_a_failure_is_done_again_and_a_wrong_request_is_not(gateway, tenant):
    failing, wrong = named(), named()
    for _ in range(2):
        response, _ = await ask(gateway, tenant.key, failing, model="mock/mock-500")
        assert response.status >= 500
        assert "idempotent-replayed" not in response.headers
    (_, first), (response, again) = [await ask(gateway, tenant.key, wrong, messages=[]) for _ in range(2)]
    assert (response.status, again) == (400, first)
    assert response.headers["idempotent-replayed"] == "true"


async def test_a_key_of_another_tenant_or_key_is_another(gateway, tenant, own_tenant, upstream):
    headers = named()
    replies = [await ask(gateway, each.key, headers) for each in (tenant, own_tenant)]
    assert [response.status for response, _ in replies] == [200, 200]
    assert all("idempotent-replayed" not in response.headers for response, _ in replies)
    assert dispatched(upstream, replies) == 2
    with_another_body, _ = await ask(gateway, own_tenant.key, headers, temperature=0.5)
    assert with_another_body.status == 409


@pytest.mark.parametrize("key", ["", "a" * 256, "two words", "caf\u00e9"])
async def test_a_key_that_is_none_is_refused_by_name(gateway, tenant, key):
    response, payload = await ask(gateway, tenant.key, {"idempotency-key": key})
    assert response.status == 400
    assert json.loads(payload)["error"]["param"] == "idempotency-key"


async def test_who_hangs_up_leaves_the_request_to_the_next(gateway, tenant, upstream):
    headers = named()
    with pytest.raises(asyncio.TimeoutError):
        async with gateway.post(
            tenant.key,
            body(mock={"fault": "delay", "seconds": 0.9}),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=0.3),
        ):
            pass
    response, _ = await ask(gateway, tenant.key, headers, mock={"fault": "delay", "seconds": 0.9})
    assert response.status == 200
    assert "idempotent-replayed" not in response.headers
    assert len(upstream.lines(response.headers["x-request-id"], "received")) == 1


async def test_a_claim_of_a_process_that_is_gone_is_taken_by_one_other(pair, tenant, upstream):
    headers, key = named(), f"Bearer {tenant.key}"
    payload = json.dumps(body()).encode()
    claim = claim_of(
        headers["idempotency-key"].encode(),
        tenant_id=tenant.tenant.id,
        key_id=tenant.key_uuid,
        asked=(b"POST", b"/v1/chat/completions", b"", payload),
        content_type=b"application/json",
        request_id=new_id(),
    )
    lease = timedelta(seconds=0.7)
    taken = await database_threads.run(lambda _: store.claim_once(tenant=tenant.tenant, claim=claim, lease=lease), 5)
    assert taken == "ours"

    async def send(gateway):
        sent = {**headers, "authorization": key, "content-type": "application/json"}
        async with gateway.session.post(f"{gateway.url}/chat/completions", data=payload, headers=sent) as response:
            return response, await response.read()

    replies = await asyncio.gather(*(send(pair[number % 2]) for number in range(10)))
    assert {response.status for response, _ in replies} == {200}
    assert dispatched(upstream, replies) == 1
    late = Kept(claim.request_id, 200, (), b"from the dead")
    assert not await database_threads.run(
        lambda _: store.keep_answer(tenant=tenant.tenant, claim=claim, answer=late), 5
    )


async def test_an_answer_that_is_too_large_is_given_once_and_not_done_again(gateway, tenant, upstream, monkeypatch):
    monkeypatch.setattr("gateway.edge.idempotency.MOST_BYTES", 50)
    headers = named()
    first, _ = await ask(gateway, tenant.key, headers)
    second, payload = await ask(gateway, tenant.key, headers)
    assert (first.status, second.status) == (200, 409)
    assert json.loads(payload)["error"]["code"] == "idempotent_answer_not_kept"
    assert dispatched(upstream, [(first, b""), (second, b"")]) == 1


async def test_a_flush_of_redis_changes_nothing(tenant, upstream):
    """In the middle of the first, and after it; in a database of Redis that nobody else uses."""
    redis = RedisConnection(urlsplit(os.environ["REDIS_URL"])._replace(path="/11").geturl())
    async with listening(make_services(limits=ROOM, redis=redis)) as gateway:
        headers, mock = named(), {"fault": "delay", "seconds": 0.6}
        running = asyncio.create_task(ask(gateway, tenant.key, headers, mock=mock))
        await eventually(lambda: gateway.services.once._running)
        await redis.call("FLUSHDB")
        replies = [await ask(gateway, tenant.key, headers, mock=mock), await running]
        await redis.call("FLUSHDB")
        replies.append(await ask(gateway, tenant.key, headers, mock=mock))
    assert {response.status for response, _ in replies} == {200}
    assert dispatched(upstream, replies) == 1


async def test_while_the_database_is_away_all_are_refused_together_and_nothing_is_sent(tenant, upstream):
    """One is asked for all of them: none waits for the turn of another."""
    services = make_services(limits=ROOM, idempotency=NoAnswers())
    async with listening(services) as gateway:
        headers = named()
        asking = asyncio.gather(*(ask(gateway, tenant.key, headers) for _ in range(20)))
        replies = await asyncio.wait_for(asking, 5)
        without, _ = await ask(gateway, tenant.key, {})
    assert {response.status for response, _ in replies} == {503}
    assert dispatched(upstream, replies) == 0
    assert without.status == 200


async def test_a_large_body_is_told_from_another_as_well(gateway, tenant, upstream):
    headers, long = named(), "word " * 100_000
    said = [{"role": "user", "content": long}]
    replies = [await ask(gateway, tenant.key, headers, messages=said) for _ in range(2)]
    assert [response.status for response, _ in replies] == [200, 200]
    assert dispatched(upstream, replies) == 1
    refused, _ = await ask(gateway, tenant.key, headers, messages=[{"role": "user", "content": long + "."}])
    assert refused.status == 409


async def test_who_leaves_in_the_middle_of_a_stream_leaves_it_to_the_next(gateway, tenant, upstream):
    headers, slow = named(), {"chunks": 5, "pace": 150}
    async with gateway.post(tenant.key, body(stream=True, mock=slow), headers=headers) as response:
        await response.content.readany()
        left = response.headers["x-request-id"]
        response.close()
    again, payload = await ask(gateway, tenant.key, headers, stream=True, mock=slow)
    assert "idempotent-replayed" not in again.headers
    assert events(payload)[-1] == b"[DONE]"
    assert len(upstream.lines(left, "received")) == 1
    replayed, same = await ask(gateway, tenant.key, headers, stream=True, mock=slow)
    assert (replayed.headers["idempotent-replayed"], same) == ("true", payload)


async def test_messages_of_anthropic_are_replayed_in_their_own_words(gateway, tenant):
    sent = {"authorization": f"Bearer {tenant.key}", **named()}
    asked = {"model": MODEL, "max_tokens": 9, "stream": True, "messages": MESSAGES}
    answers = []
    for _ in range(2):
        async with gateway.session.post(f"{gateway.url}/messages", json=asked, headers=sent) as response:
            answers.append((response, await response.read()))
    (first, said), (second, again) = answers
    assert again == said
    assert b"message_stop" in said
    assert second.headers["request-id"] == second.headers["x-request-id"] != first.headers["request-id"]


async def test_a_revoked_key_reads_nothing_again(gateway, own_tenant):
    made = await database_threads.run(lambda _: create_api_key(tenant=own_tenant.tenant, name="short"), 5)
    headers = named()
    first, _ = await ask(gateway, made.text, headers)
    await database_threads.run(lambda _: revoke_api_key(tenant=own_tenant.tenant, key_id=made.key_id), 5)
    second, payload = await ask(gateway, made.text, headers)
    assert (first.status, second.status) == (200, 401)
    assert b"choices" not in payload
