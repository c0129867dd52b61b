"""The ASGI application as a whole, without a server around it."""

import asyncio
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway import metrics
from orchestrator_site.lifespan import Lifespan, background
from orchestrator_site.patience import Patience
from orchestrator_site.tests.asgi_caller import ask, front, opened
from providers import health as provider_health
from providers.checks import Check
from tenants.config_version import redis_client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/live", 200),
        ("/info", 200),
        ("/ready", 503),
        ("/health", 503),
        ("/schema", 200),
        ("/docs", 200),
        ("/redoc", 200),
        ("/admin/", 302),
        ("/static/css/base.css", 200),
        ("/v1/usage", 401),
        ("/api/v1/usage", 401),
        ("/v1/nothing", 404),
        ("/nothing", 404),
        ("/v1/models", 503),
        ("/api/v1/chat/completions", 503),
    ],
)
async def test_before_the_lifespan_all_but_the_gateway_answers_and_everything_has_an_id(path, status):
    answered = await ask(front(), path)
    assert answered.status == status
    assert UUID(answered.headers["x-request-id"]).version == 7


async def test_ids_are_never_the_callers():
    answered = await ask(front(), "/live", headers={"x-request-id": "mine"})
    assert answered.headers["x-request-id"] != "mine"


async def test_a_gateway_that_is_not_open_says_when_to_come_back():
    answered = await ask(front(), "/v1/models")
    assert answered.json()["error"]["code"] == "not_open"
    assert answered.headers["retry-after"] == "1"


async def test_opened_it_is_ready_and_serves_a_tenants_key(cast):
    async with opened(front()) as application:
        ready = await ask(application, "/ready")
        assert ready.status == 200, ready.body
        health = (await ask(application, "/health")).json()
        assert {"database", "redis", "migrations", "ledger"} <= health["parts"].keys()
        assert all(part["status"] == "ok" for part in health["parts"].values())
        for prefix in ("/v1", "/api/v1"):
            models = await ask(application, f"{prefix}/models", headers={"authorization": f"Bearer {cast.acme.key}"})
            assert models.status == 200, models.body
            usage = await ask(application, f"{prefix}/usage", headers={"x-api-key": cast.acme.key})
            assert usage.status == 200, usage.body
    assert (await ask(application, "/v1/models")).status == 503


async def test_health_shows_how_the_providers_were():
    seen = Check(datetime(2026, 11, 21, tzinfo=UTC), 12.5, "timeout")
    await asyncio.to_thread(
        redis_client().hset, provider_health.KEY, "slow", provider_health.encode({"slow": seen})["slow"]
    )
    try:
        async with opened(front()) as application:
            health = await ask(application, "/health")
    finally:
        await asyncio.to_thread(redis_client().hdel, provider_health.KEY, "slow")
    assert health.status == 200
    assert health.json()["providers"]["slow"]["error"] == "timeout"


async def test_pages_are_waited_for_no_longer_than_patience_lasts(monkeypatch):
    """A frozen database keeps its thread, and nobody else."""
    monkeypatch.setattr(Patience.__init__, "__defaults__", (0.3,))
    thaw = threading.Event()
    monkeypatch.setattr("console.views.api_url", lambda request: str(thaw.wait(20)))
    application = front()
    try:
        assert (await ask(application, "/")).status == 503
        assert (await ask(application, "/live")).status == 200
    finally:
        thaw.set()
        await asyncio.sleep(0.1)


async def test_an_alias_reaches_no_page():
    assert (await ask(front(), "/api/nothing")).status == 404


async def test_unknown_hosts_have_no_pages_but_probes_answer_there():
    application = front()
    assert (await ask(application, "/", host="nobody.example")).status == 404
    assert (await ask(application, "/live", host="10.1.2.3:8000")).status == 200


async def test_the_metrics_need_their_token():
    application = front(metrics_token="right-token")
    assert (await ask(application, "/metrics")).status == 401
    assert (await ask(application, "/metrics", headers={"authorization": "Bearer wrong-token"})).status == 401
    assert (await ask(application, "/metrics", headers={"authorization": "Bearer right-token"})).status == 200


async def test_without_a_token_there_are_no_metrics_here():
    assert (await ask(front(metrics_token=""), "/metrics", headers={"authorization": "Bearer "})).status == 404


async def test_routes_are_counted_by_their_templates(cast):
    application = front()

    def count(route, status):
        return metrics.requests("GET", route, status)._value.get()

    before = count("/v1/usage", "4xx"), count("other", "4xx")
    await ask(application, "/v1/usage?from=2026-01-01")
    await ask(application, "/some/path/nobody/foresaw")
    assert (count("/v1/usage", "4xx"), count("other", "4xx")) == (before[0] + 1, before[1] + 1)


async def test_a_method_nobody_knows_is_one_label():
    await ask(front(), "/live", method="BREW")
    assert metrics.requests("other", "/live", "4xx")._value.get() >= 1


PREFLIGHT = {
    "origin": "https://app.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,x-stainless-arch",
}


async def test_a_named_origin_may_call_the_api(cast):
    application = front(cors_origins=("https://app.example",))
    preflight = await ask(application, "/v1/chat/completions", method="OPTIONS", headers=PREFLIGHT)
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    assert "x-stainless-arch" in preflight.headers["access-control-allow-headers"]
    assert UUID(preflight.headers["x-request-id"])
    for path in ("/v1/models", "/api/v1/usage"):
        answered = await ask(application, path, headers={"origin": "https://app.example"})
        assert answered.headers["access-control-allow-origin"] == "https://app.example"
        assert "x-request-id" in answered.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answered.headers


async def test_no_other_origin_may_and_pages_are_nobodys():
    application = front(cors_origins=("https://app.example",))
    refused = await ask(
        application, "/v1/models", method="OPTIONS", headers={**PREFLIGHT, "origin": "https://evil.example"}
    )
    assert refused.status == 400
    assert "access-control-allow-origin" not in refused.headers
    page = await ask(application, "/", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in page.headers


async def test_by_default_no_origin_may():
    answered = await ask(front(), "/v1/usage", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in answered.headers


@pytest.mark.parametrize(
    ("extensions", "first"),
    [
        ({"websocket.http.response": {}}, {"type": "websocket.http.response.start", "status": 404}),
        ({}, {"type": "websocket.close", "code": 4404}),
    ],
)
async def test_there_is_no_websocket_yet(extensions, first):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await front()({"type": "websocket", "path": "/ws", "headers": [], "extensions": extensions}, receive, send)
    assert first.items() <= sent[0].items()


async def test_the_lifespan_closes_in_reverse_and_tells_of_a_failed_start():
    steps = []

    def resource(name):
        @asynccontextmanager
        async def run():
            steps.append(f"open {name}")
            yield
            steps.append(f"close {name}")

        return run

    async with opened(Lifespan(resource("a"), resource("b"))):
        pass
    assert steps == ["open a", "open b", "close b", "close a"]

    @asynccontextmanager
    async def broken():
        raise OSError("a detail nobody should see")
        yield

    sent = []

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        sent.append(message)

    await Lifespan(resource("c"), broken)({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": "OSError"}]
    assert steps[-1] == "close c"


async def test_work_in_the_background_that_fails_takes_nothing_with_it():
    async def fails():
        raise ValueError("no")

    async with background(fails, "failing"):
        await asyncio.sleep(0.01)
