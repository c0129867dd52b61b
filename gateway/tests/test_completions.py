"""One completion, the whole way, on real neighbours."""

import asyncio
import json
import re

import pytest

from gateway.tests.conftest import body, events, settlements
from tenants.keys import generate


async def test_a_whole_answer_is_passed_on_and_settled(gateway, tenant):
    async with gateway.post(tenant.key, body(user="someone", seed=7)) as response:
        answer = await response.json()
        assert response.status == 200
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-ratelimit-limit-requests"] == "600"
    assert 0 < int(response.headers["x-ratelimit-remaining-requests"]) < 600
    [row] = await settlements(gateway, response.headers["x-request-id"])
    used = answer["usage"]
    assert (row["input_tokens"], row["output_tokens"]) == (used["prompt_tokens"], used["completion_tokens"])
    assert row["cost_nano"] == used["prompt_tokens"] * 2000 + used["completion_tokens"] * 8000 > 0
    # The provider is the tenant's own, and paid by it.
    assert row["charge_nano"] == 0
    assert (row["outcome"], row["usage_source"], row["finish_reason"]) == ("completed", "provider", "stop")
    assert (row["provider"], row["provider_scope"], row["model"]) == ("mock", "tenant", "plain")
    assert (row["tenant_id"], row["api_key_id"]) == (tenant.tenant.id, tenant.key_uuid)
    assert gateway.services.key_use.noted.keys() == {tenant.key_uuid}


async def test_a_stream_hides_the_usage_nobody_asked_for_and_settles_by_it(gateway, tenant):
    async with gateway.post(tenant.key, body(stream=True, mock={"chunks": 4})) as response:
        text = await response.read()
    assert response.status == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    seen = events(text)
    assert seen[-1] == b"[DONE]"
    assert not any(event.get("usage") for event in seen[:-1])
    assert len([event for event in seen[:-1] if event["choices"][0]["delta"].get("content")]) == 4
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert (row["outcome"], row["usage_source"], row["output_tokens"]) == ("completed", "provider", 4)
    assert row["time_to_first_chunk_ms"] is not None


async def test_a_stream_shows_the_usage_that_was_asked_for(gateway, tenant):
    wish = body(stream=True, stream_options={"include_usage": True})
    async with gateway.post(tenant.key, wish) as response:
        seen = events(await response.read())
    assert seen[-2]["usage"]["completion_tokens"] == 5


async def test_the_upstream_is_told_request_and_attempt(gateway, tenant, upstream):
    async with gateway.post(tenant.key, body()) as response:
        await response.read()
    [line] = upstream.lines(response.headers["x-request-id"], "received")
    assert line["attempt"] == 1


async def test_a_closing_mark_that_did_not_come_is_added(gateway, tenant):
    async with gateway.post(tenant.key, body(stream=True, mock={"fault": "no_done"})) as response:
        seen = events(await response.read())
    assert seen[-1] == b"[DONE]"
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert row["outcome"] == "completed"


async def test_usage_that_was_not_reported_is_estimated_from_the_text(gateway, tenant):
    async with gateway.post(tenant.key, body(stream=True, mock={"usage": False, "chunks": 6})) as response:
        await response.read()
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert (row["outcome"], row["usage_source"]) == ("completed", "estimated")
    assert 6 <= row["output_tokens"] <= 6 * 7
    assert 5 <= row["input_tokens"] <= 30


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"headers": {"authorization": ""}}, 401, "missing_api_key"),
        ({"headers": {"authorization": "Basic abc"}}, 401, "missing_api_key"),
        ({"headers": {"authorization": "Bearer nonsense"}}, 401, "invalid_api_key"),
        ({"headers": {"authorization": f"Bearer {generate().text}"}}, 401, "invalid_api_key"),
        ({"headers": {"x-api-key": generate().text}}, 400, "invalid_request"),
        ({"headers": {"content-type": "text/plain"}}, 415, "unsupported_media_type"),
        ({"headers": {"content-encoding": "gzip"}}, 415, "unsupported_media_type"),
    ],
)
async def test_what_is_wrong_with_the_headers_is_told(gateway, tenant, changed, status, code):
    async with gateway.post(tenant.key, json.dumps(body()).encode(), **changed) as response:
        answer = await response.json()
    assert (response.status, answer["error"]["code"]) == (status, code)
    assert response.headers["x-request-id"]
    if status == 401:
        assert response.headers["www-authenticate"] == "Bearer"


async def test_both_headers_may_say_the_same_and_the_scheme_may_be_spelled_anyhow(gateway, tenant):
    headers = {"authorization": f"bEARER  {tenant.key}", "x-api-key": tenant.key}
    async with gateway.post(tenant.key, body(), headers=headers) as response:
        assert response.status == 200


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "host"])
async def test_a_header_that_says_who_or_where_may_come_once(gateway, tenant, name):
    given = {"authorization": f"Bearer {tenant.key}", "x-api-key": tenant.key, "host": "gateway.example"}
    others = [("x-other", "1"), ("x-other", "2"), ("connection", "close")]
    assert await answer_to(gateway, [*given.items(), *others]) == 200
    assert await answer_to(gateway, [*given.items(), *others, (name, given[name])]) == 400


async def answer_to(gateway, headers) -> int:
    """The status of a list of models; clients join what is repeated, so it is asked for by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.split(":")[2].split("/")[0]))
    lines = ["GET /v1/models HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return int(answer.split()[1])


async def test_a_host_too_long_for_a_name_is_not_looked_up(gateway, tenant):
    async with gateway.post(tenant.key, body(), headers={"host": "a" * 254}) as response:
        assert response.status == 200
    assert "tenant_of_host" not in gateway.services.configs._source.asked


@pytest.mark.parametrize(
    ("sent", "status", "param", "words"),
    [
        (b'{"model": ', 400, None, "byte 10"),
        (b"[]", 400, None, "object"),
        (b'{"model": "mock/plain"}', 400, "messages", "messages"),
        (b'{"model": "none", "messages": [{"role": "user", "content": "x"}]}', 404, "model", "mock/plain"),
    ],
)
async def test_what_is_wrong_with_the_body_is_told(gateway, tenant, sent, status, param, words):
    async with gateway.post(tenant.key, sent) as response:
        error = (await response.json())["error"]
    assert (response.status, error["param"]) == (status, param)
    assert words in error["message"]


async def test_other_methods_are_refused(gateway, tenant):
    url = f"{gateway.url}/chat/completions"
    headers = {"authorization": f"Bearer {tenant.key}"}
    async with gateway.session.get(url, headers=headers) as response:
        assert (response.status, response.headers["allow"]) == (405, "POST, OPTIONS")
        assert (await response.json())["error"]["code"] == "method_not_allowed"
    async with gateway.session.options(url) as response:
        assert (response.status, response.headers["allow"]) == (204, "POST, OPTIONS")


async def test_models_are_listed_and_found_with_slashes_in_their_names(gateway, tenant):
    async with gateway.get("/models", tenant.key) as response:
        listed = await response.json()
    assert {"mock/plain", "spare/plain", "after-mock-500"} <= {each["id"] for each in listed["data"]}
    assert listed["object"] == "list"
    async with gateway.get("/models/mock/plain", tenant.key) as response:
        one = await response.json()
    assert (one["id"], one["object"], one["owned_by"]) == ("mock/plain", "model", "mock")
    async with gateway.get("/models/no/such", tenant.key) as response:
        assert response.status == 404
    async with gateway.get("/models", tenant.key, method="HEAD") as response:
        assert (response.status, await response.read()) == (200, b"")


async def test_many_at_once_each_get_their_own_answer(gateway, tenant):
    async def one(number: int) -> str:
        wish = body(stream=number % 2 == 0, mock={"chunks": number % 7 + 1})
        async with gateway.post(tenant.key, wish) as response:
            text = await response.read()
            assert response.status == 200
            words = re.findall(rb'"content":"([^"]*)"', text)
            assert (len(words) if number % 2 == 0 else 1) == (number % 7 + 1 if number % 2 == 0 else 1)
            return str(response.headers["x-request-id"])

    ids = await asyncio.gather(*map(one, range(60)))
    assert len(set(ids)) == 60
    for request_id in ids[::10]:
        await settlements(gateway, request_id)
