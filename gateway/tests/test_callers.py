"""Who is let in: keys, states, hosts, limits, and configuration that changes under running processes."""

import asyncio
from datetime import UTC, datetime, timedelta

import openai
import pytest

from common.redis import RedisConnection
from gateway.tests.conftest import body, settlements
from gateway.tests.stage import eventually, listening, make_services
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from tenants.actions.api_keys import create_api_key, revoke_api_key
from tenants.actions.tenants import set_tenant_state
from tenants.identity import version_key
from tenants.keys import generate


@pytest.fixture
def tenant(own_tenant):
    """Most of these tests change their tenant."""
    return own_tenant


async def ask(gateway, key, **options) -> tuple[int, str | None]:
    """(status, code of the error)."""
    async with gateway.post(key, body(), **options) as response:
        answer = await response.json()
        return response.status, answer.get("error", {}).get("code")


async def test_a_revoked_key_stops_with_its_next_request_in_every_process(gateway, tenant):
    async with listening(make_services()) as other:
        second = await asyncio.to_thread(create_api_key, tenant=tenant.tenant, name="second")
        for each in (gateway, other):
            assert await ask(each, second.text) == (200, None)
        await asyncio.to_thread(revoke_api_key, tenant=tenant.tenant, key_id=second.key_id)
        for each in (gateway, other):
            assert await ask(each, second.text) == (401, "invalid_api_key")
            assert await ask(each, tenant.key) == (200, None)


async def test_an_expired_key_stops_by_the_clock(gateway, tenant):
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    key = await asyncio.to_thread(create_api_key, tenant=tenant.tenant, name="brief", expires_at=soon)
    assert await ask(gateway, key.text) == (200, None)
    await asyncio.sleep(1.6)
    assert (await ask(gateway, key.text))[0] == 401


async def test_a_key_with_another_secret_is_nobodys(gateway, tenant):
    assert await ask(gateway, tenant.key) == (200, None)
    forged = type(generate())(tenant.key_id, generate().secret).text
    assert await ask(gateway, forged) == (401, "invalid_api_key")


async def test_the_states_of_a_tenant(gateway, tenant):
    for state, completions, models in (
        ("read_only", (403, "tenant_read_only"), 200),
        ("suspended", (403, "tenant_suspended"), 403),
        ("active", (200, None), 200),
    ):
        await asyncio.to_thread(set_tenant_state, tenant=tenant.tenant, state=state)
        assert await ask(gateway, tenant.key) == completions
        async with gateway.get("/models", tenant.key) as response:
            assert response.status == models


async def test_a_key_without_the_scope_is_refused(gateway, tenant):
    key = await asyncio.to_thread(create_api_key, tenant=tenant.tenant, name="reader", scopes_granted=["models:read"])
    assert await ask(gateway, key.text) == (403, "insufficient_scope")
    async with gateway.get("/models", key.text) as response:
        assert response.status == 200


async def test_a_key_on_another_tenants_host_is_refused(gateway, tenant, cast):
    assert await ask(gateway, tenant.key, headers={"host": cast.globex.host.upper() + ":8000"}) == (403, "wrong_host")
    assert await ask(gateway, tenant.key, headers={"host": tenant.host}) == (200, None)
    assert await ask(gateway, tenant.key, headers={"host": "gateway.example"}) == (200, None)


async def test_another_tenants_models_do_not_exist(gateway, tenant, cast):
    async with gateway.post(cast.globex.key, body()) as response:
        text = await response.text()
    assert response.status == 404
    assert "spare/plain" not in text


async def test_a_new_model_can_be_asked_for_at_once(gateway, tenant, upstream):
    assert await ask(gateway, tenant.key) == (200, None)

    def add() -> None:
        provider = create_provider(owner=tenant.tenant, name="late", base_url=f"{upstream.url}/v1")
        offer_models(owner=tenant.tenant, provider_id=provider, offers=[ModelOffer(name="fresh")])

    await asyncio.to_thread(add)
    async with gateway.post(tenant.key, body(model="late/fresh")) as response:
        assert response.status == 200
    [row] = await settlements(gateway, response.headers["x-request-id"])
    assert (row["price_version"], row["cost_nano"]) == (None, 0)


async def test_requests_a_minute_are_limited_by_key(gateway, tenant):
    key = await asyncio.to_thread(create_api_key, tenant=tenant.tenant, name="slow", requests_per_minute=3)
    answers = [await ask(gateway, key.text) for _ in range(4)]
    assert answers == [(200, None)] * 3 + [(429, "rate_limit_exceeded")]
    async with gateway.post(key.text, body()) as response:
        assert 1 <= int(response.headers["retry-after"]) <= 20
        assert response.headers["x-ratelimit-remaining-requests"] == "0"
    assert await ask(gateway, tenant.key) == (200, None)


async def test_the_sdk_waits_as_told_and_succeeds(gateway, tenant):
    key = await asyncio.to_thread(create_api_key, tenant=tenant.tenant, name="brisk", requests_per_minute=60)
    client = openai.AsyncOpenAI(base_url=gateway.url, api_key=key.text, max_retries=2)
    for _ in range(62):
        completion = await client.chat.completions.create(**body())
        assert completion.choices[0].finish_reason == "stop"
    await client.close()


async def test_unknown_keys_do_not_reach_the_database_twice(gateway):
    source = gateway.services.configs._source
    key = generate().text
    for _ in range(5):
        assert await ask(gateway, key) == (401, "invalid_api_key")
    assert source.asked.count("find_tenant_of_key") == 1


async def test_a_crowd_of_new_callers_loads_the_snapshot_once(gateway, tenant):
    source = gateway.services.configs._source
    results = await asyncio.gather(*[ask(gateway, tenant.key) for _ in range(30)])
    assert set(results) == {(200, None)}
    assert source.asked.count("load_identity") == 1


async def test_a_current_snapshot_serves_while_the_database_is_away(gateway, tenant):
    assert await ask(gateway, tenant.key) == (200, None)
    gateway.services.configs._source.broken = True
    assert await ask(gateway, tenant.key) == (200, None)
    await gateway.services.redis.call("SET", version_key(tenant.tenant.id), 10**6)
    assert await ask(gateway, tenant.key) == (503, "unavailable")


async def test_a_version_that_redis_lost_is_put_back_from_the_database(gateway, tenant):
    assert await ask(gateway, tenant.key) == (200, None)
    key = version_key(tenant.tenant.id)
    true = await gateway.services.redis.call("GET", key)
    for wrong in (None, 10**6):
        await (
            gateway.services.redis.call("DEL", key) if wrong is None else gateway.services.redis.call("SET", key, wrong)
        )
        assert await ask(gateway, tenant.key) == (200, None)
        assert await gateway.services.redis.call("GET", key) == true


async def test_a_change_whose_push_was_lost_is_found_by_polling(gateway, tenant):
    assert await ask(gateway, tenant.key) == (200, None)
    key = version_key(tenant.tenant.id)
    old = await gateway.services.redis.call("GET", key)
    await asyncio.to_thread(revoke_api_key, tenant=tenant.tenant, key_id=tenant.key_id)
    await gateway.services.redis.call("SET", key, old)

    async def refused() -> bool:
        return await ask(gateway, tenant.key) == (401, "invalid_api_key")

    assert await eventually(refused, seconds=1.5)


async def test_a_ledger_that_does_not_accept_refuses_before_anything_is_counted(gateway, tenant):
    assert await ask(gateway, tenant.key) == (200, None)
    gateway.services.ledger._draining = True
    async with gateway.post(tenant.key, body()) as response:
        assert (response.status, response.headers["retry-after"]) == (503, "1")
    gateway.services.ledger._draining = False
    async with gateway.post(tenant.key, body()) as response:
        assert response.headers["x-ratelimit-remaining-requests"] in {"598", "599"}


async def test_without_counters_nobody_is_let_in_and_nobody_hangs(tenant):
    async with listening(make_services(redis=RedisConnection("redis://127.0.0.1:1/0", timeout=0.3))) as gateway:
        async with gateway.post(tenant.key, body()) as response:
            error = (await response.json())["error"]
        assert (response.status, error["code"], response.headers["retry-after"]) == (503, "redis_unavailable", "1")


async def test_more_than_fit_at_once_are_told_to_come_back(tenant):
    async with listening(make_services(limits={"most_at_once": 2})) as gateway:
        slow = [ask_slowly(gateway, tenant) for _ in range(5)]
        statuses = await asyncio.gather(*slow)
    assert sorted(statuses) == [200, 200, 503, 503, 503]


async def ask_slowly(gateway, tenant) -> int:
    async with gateway.post(tenant.key, body(mock={"fault": "delay", "seconds": 0.5})) as response:
        await response.read()
        return int(response.status)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused(tenant, declared):
    async def pieces():
        for _ in range(30):
            yield b" " * 1000

    async with listening(make_services(limits={"most_body_bytes": 20_000})) as gateway:
        sent = b" " * 30_000 if declared else pieces()
        headers = {"content-type": "application/json", "authorization": f"Bearer {tenant.key}"}
        async with gateway.session.post(f"{gateway.url}/chat/completions", data=sent, headers=headers) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (413, "payload_too_large")


async def test_closing_lets_running_answers_finish_and_writes_everything_down(tenant):
    services = make_services()
    async with listening(services) as gateway:
        running = asyncio.create_task(ask_slowly(gateway, tenant))
        await eventually(lambda: services.running.count == 1)
        await services.close()
        assert running.done() or await running == 200
        assert services.ledger.gauges().settlements_queued == 0


async def test_a_completion_is_logged_without_its_words_or_secrets(gateway, tenant, capsys):
    async with gateway.post(tenant.key, body()) as response:
        await response.read()
    await settlements(gateway, response.headers["x-request-id"])
    lines = capsys.readouterr().err
    assert response.headers["x-request-id"] in lines
    assert tenant.key not in lines
    assert "sk-upstream-secret" not in lines
    assert "Tell me something" not in lines
